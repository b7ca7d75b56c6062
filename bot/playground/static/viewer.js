/** The picture viewer: zoom by wheel and pinch, pan by drag; Escape, back or a press beside the picture closes it. */

import { fileUrl } from './api.js';
import { largest, mayBeTransparent } from './bubble.js';
import { byId, dialogById, h } from './dom.js';
import { createLayer } from './layer.js';
import { t } from './strings.js';

const MAX_ZOOM = 8;
const STEP = 2.5; // what a double click zooms to

/** Set up the viewer. */
export function createViewer() {
  const dialog = dialogById('viewer');
  const stage = byId('viewer-stage');
  const link = /** @type {HTMLAnchorElement} */ (byId('viewer-download'));
  const layer = createLayer(() => dialog.close());
  let image = h('img');
  let scale = 1;
  let x = 0;
  let y = 0;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let moved = false;

  function apply() {
    const box = stage.getBoundingClientRect();
    const roomX = Math.max(0, (image.offsetWidth * scale - box.width) / 2);
    const roomY = Math.max(0, (image.offsetHeight * scale - box.height) / 2);
    x = Math.max(-roomX, Math.min(roomX, x));
    y = Math.max(-roomY, Math.min(roomY, y));
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle('zoomed', scale > 1);
  }

  /**
   * Zoom around a point.
   * @param {number} to
   * @param {number} clientX
   * @param {number} clientY
   */
  function zoom(to, clientX, clientY) {
    const next = Math.max(1, Math.min(MAX_ZOOM, to));
    const box = stage.getBoundingClientRect();
    const px = clientX - box.left - box.width / 2;
    const py = clientY - box.top - box.height / 2;
    x = px - ((px - x) * next) / scale;
    y = py - ((py - y) * next) / scale;
    scale = next;
    apply();
  }

  /** @param {import('./api.js').Message} message with a photo, or a document that is a picture */
  function open(message) {
    const photo = largest(message);
    const doc = message.document;
    const id = photo?.file_id ?? doc?.file_id;
    if (!id) return;
    byId('viewer-title').textContent = doc?.file_name ?? message.caption ?? t('photo');
    link.href = fileUrl(id, true);
    link.download = doc?.file_name ?? '';
    image = h('img', {
      src: fileUrl(id),
      alt: message.caption ?? doc?.file_name ?? t('photo'),
      draggable: 'false',
      width: photo?.width,
      height: photo?.height,
      class: doc && mayBeTransparent(doc) ? 'chequer' : null,
    });
    image.addEventListener('error', () => image.replaceWith(h('p', {}, t('not_loaded'))));
    stage.replaceChildren(image);
    scale = 1;
    x = 0;
    y = 0;
    fingers.clear();
    stage.classList.remove('zoomed');
    dialog.showModal();
    layer.opened();
    byId('viewer-close').focus();
  }

  dialog.addEventListener('close', () => {
    layer.closed();
    stage.replaceChildren();
  });
  byId('viewer-close').addEventListener('click', () => dialog.close());

  stage.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(scale * Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event.clientX, event.clientY);
  }, { passive: false });
  stage.addEventListener('dblclick', (event) => zoom(scale > 1 ? 1 : STEP, event.clientX, event.clientY));
  stage.addEventListener('pointerdown', (event) => {
    if (event.isPrimary) fingers.clear(); // those before have ended, also where their end was not reported
    if (fingers.size === 0) moved = false;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (Math.hypot(now.x - before.x, now.y - before.y) > 3) moved = true;
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y);
      const is = Math.hypot(now.x - other.x, now.y - other.y);
      x += (now.x - before.x) / 2;
      y += (now.y - before.y) / 2;
      if (was > 0) zoom((scale * is) / was, (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else {
      x += now.x - before.x;
      y += now.y - before.y;
      apply();
    }
    if (moved) fingers.set(event.pointerId, now);
  });
  for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    stage.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  stage.addEventListener('click', (event) => {
    if (moved || scale > 1) return;
    const box = image.getBoundingClientRect();
    const on = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!on) dialog.close();
  });
  dialog.addEventListener('keydown', (event) => {
    const box = stage.getBoundingClientRect();
    const [cx, cy] = [box.left + box.width / 2, box.top + box.height / 2];
    if (event.key === '+' || event.key === '=') zoom(scale * 1.4, cx, cy);
    else if (event.key === '-') zoom(scale / 1.4, cx, cy);
    else if (event.key === '0') zoom(1, cx, cy);
  });
  addEventListener('resize', () => dialog.open && apply());

  return { open };
}
