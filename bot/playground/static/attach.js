/** Adding files: by the button, by drag and drop, by pasting, or from the samples. */

import * as api from './api.js';
import { buttonById, byId, h, inputById } from './dom.js';
import { explain, openMenu, toast } from './dialogs.js';
import { t } from './strings.js';

const PICTURES = 'image/*,.heic,.heif';

/**
 * Open the preview for files that are added in any of these ways.
 * @param {{open: (files: Iterable<File>, as?: 'photo' | 'file' | null) => void, isOpen: () => boolean}} preview
 * @returns {{offerSamples: (offer: boolean) => void, reloadSamples: () => void}}
 */
export function watchFiles(preview) {
  watchButton(preview, () => samples.show(true));
  watchDrops(preview);
  watchPaste(preview);
  const samples = createSamples(preview);
  return { offerSamples: samples.offer, reloadSamples: samples.reload };
}

/**
 * @param {{open: (files: Iterable<File>, as?: 'photo' | 'file' | null) => void}} preview
 * @param {() => void} showSamples
 */
function watchButton(preview, showSamples) {
  const input = inputById('file-input');
  const button = buttonById('attach');
  /** @type {'photo' | 'file' | null} */
  let as = null;

  /** @param {'photo' | 'file'} kind */
  function choose(kind) {
    as = kind;
    input.accept = kind === 'photo' ? PICTURES : '';
    input.click();
  }
  button.addEventListener('click', () =>
    openMenu([
      { text: t('attach_photo'), icon: 'photo', testid: 'attach-photo', onPick: () => choose('photo') },
      { text: t('attach_file'), icon: 'file', testid: 'attach-file', onPick: () => choose('file') },
      { text: t('attach_sample'), icon: 'sample', testid: 'attach-sample', onPick: showSamples },
      {
        text: t('attach_sticker'),
        icon: 'sticker',
        testid: 'attach-sticker',
        onPick: () => api.sendSticker().catch((error) => toast(explain(error))),
      },
    ], button));
  input.addEventListener('change', () => {
    preview.open(input.files ?? [], as);
    as = null;
    input.value = ''; // the same file may be chosen again
  });
  input.addEventListener('cancel', () => (as = null));
}

/** @param {{open: (files: Iterable<File>, as?: 'photo' | 'file' | null) => void, isOpen: () => boolean}} preview */
function watchDrops(preview) {
  const cover = byId('drop');
  let depth = 0;
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
  const zoneOf = (/** @type {DragEvent} */ event) =>
    event.target instanceof Element ? event.target.closest('.zone') : null;

  function done() {
    depth = 0;
    cover.hidden = true;
  }
  addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    // A dialog is above the cover: the preview accepts drops itself, other dialogs accept none.
    cover.hidden = document.querySelector('dialog[open]') !== null;
  });
  addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return;
    depth -= 1;
    if (depth <= 0) done();
  });
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const zone = zoneOf(event);
    for (const each of cover.children) each.classList.toggle('over', each === zone);
  });
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const zone = zoneOf(event);
    done();
    if (document.querySelector('dialog[open]') && !preview.isOpen()) return;
    const as = zone?.getAttribute('data-as') ?? null;
    preview.open(event.dataTransfer?.files ?? [], as === 'photo' || as === 'file' ? as : null);
  });
}

/** @param {{open: (files: Iterable<File>) => void, isOpen: () => boolean}} preview */
function watchPaste(preview) {
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || (document.querySelector('dialog[open]') && !preview.isOpen())) return;
    event.preventDefault();
    preview.open(files);
  });
}

/** @param {{open: (files: Iterable<File>, as?: 'photo' | 'file' | null) => void}} preview */
function createSamples(preview) {
  const section = byId('samples');
  const strip = byId('samples-strip');
  let loaded = false;
  let dismissed = false;
  let offered = false;
  let shown = false;

  /** @param {import('./api.js').Sample} sample */
  async function choose(sample) {
    try {
      const response = await fetch(api.sampleUrl(sample.name));
      if (!response.ok) throw new api.ApiError(response.status, '', t('not_loaded'));
      const blob = await response.blob();
      const name = /\.jpe?g$/i.test(sample.name) ? sample.name : `${sample.name}.jpg`;
      preview.open([new File([blob], name, { type: blob.type || 'image/jpeg' })], 'photo');
    } catch (error) {
      toast(error instanceof api.ApiError ? explain(error) : t('offline'));
    }
  }

  async function load() {
    if (loaded) return;
    loaded = true;
    try {
      const all = await api.samples();
      strip.replaceChildren(
        ...all.map((sample) =>
          h(
            'button',
            {
              type: 'button',
              title: sample.title,
              'data-testid': 'sample',
              onclick: () => choose(sample),
            },
            h('img', {
              src: api.sampleUrl(sample.name),
              alt: sample.title,
              width: sample.width,
              height: sample.height,
              loading: 'lazy',
              decoding: 'async',
            }),
          )
        ),
      );
    } catch {
      loaded = false; // loaded again the next time
    }
  }

  /** @param {boolean} wanted */
  async function show(wanted) {
    shown = wanted;
    if (wanted) await load();
    // The strip may have been closed while the samples were loading.
    section.hidden = !shown || strip.childElementCount === 0;
  }
  byId('samples-close').addEventListener('click', () => {
    dismissed = true;
    show(false);
  });
  strip.addEventListener('wheel', (event) => {
    if (event.deltaX || !event.deltaY) return;
    strip.scrollLeft += event.deltaY;
    event.preventDefault();
  }, { passive: false });

  return {
    show,
    /** @param {boolean} offer whether to show the strip; it stays closed after the person closed it */
    offer(offer) {
      if (offer === offered) return;
      offered = offer;
      show(offer && !dismissed);
    },
    /** Load the samples again: their titles are in the person's language. */
    async reload() {
      if (!loaded) return;
      loaded = false;
      await load();
    },
  };
}
