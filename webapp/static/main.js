/** The page: opens an edit and connects stage, rounds, draft and Telegram's client. */

import { Api } from './api.js';
import { DraftKeeper } from './draft.js';
import { sideFor, sideOnOpening } from './preview.js';
import { Rounds } from './rounds.js';
import { Selector } from './selection.js';
import { Stage } from './stage.js';
import { explain, isKey, PageError, say, setLanguage } from './strings.js';
import { addsPaint, Strokes } from './strokes.js';
import * as telegram from './telegram.js';
import { Ui } from './ui.js';

/** @type {Api} */ let api;
/** @type {Rounds} */ let rounds;
/** @type {Stage | undefined} */ let stage;
/** @type {DraftKeeper} */ let draft;
let working = true; // painting is blocked
let running = false; // … by a running edit
let hasMainButton = true; // else the page shows its own
let isCutout = false; // a cut-out is corrected
/** @type {Blob | undefined} */ let shown;
const SHARPEN_DELAY = 300; // ms without zoom or pan, then the picture gets the pixels that are missing
let sharpening = 0;
const selector = new Selector();
const used = new Set(); // tools: each says once what it does

document.documentElement.dataset.started = 'yes'; // old.js has nothing to say
telegram.applyLaunchTheme();
setLanguage(telegram.language());

const strokes = new Strokes(changed);
const ui = new Ui({
  ...{ undo, redo, undoRound, cancel, erase, done, escape },
  tool: chooseTool,
  size: resizeBrush,
  space: holdSpace,
  arrow: moveCursor,
  compare: (on) => stage?.compare(on ? rounds.original : null, say('original'), on),
  clear: () => strokes.painted && change({ kind: 'clear' }),
  invert: () => change({ kind: 'invert' }),
  fit: () => stage?.fit(),
  zoom: (factor) => stage?.zoom(factor),
  fullscreen: () => telegram.fullscreen.toggle(),
});
ui.showNotice(say('opening'));

const client = telegram.setUp(refresh).then((exists) => {
  hasMainButton = exists;
  telegram.mainButton.onPress(erase);
  telegram.secondaryButton.onPress(() => (running ? cancel() : undoRound()));
  telegram.fullscreen.watch();
  ui.show({ fullscreen: telegram.fullscreen.offered });
  refresh();
});
open();

async function open() {
  if (!telegram.initData()) await client;
  const id = telegram.editId();
  if (!telegram.initData() || !id) return ui.showNotice(say('outside'));
  try {
    api = new Api(telegram.initData());
    await api.open();
    const edit = await api.edit(id);
    rounds = new Rounds(api, edit, () => stage ? sideFor(edit, stage.view.scale) : sideOnOpening(edit));
    await rounds.load();
    isCutout = strokes.isCutout = rounds.isCutout;
    setLanguage(edit.language, isCutout);
    document.body.classList.toggle('cutout', isCutout);
    ui.showApp(); // before the stage: it has no size while hidden
    stage = new Stage(/** @type {HTMLElement} */ (document.getElementById('stage')), strokes, edit, {
      painted: change,
      tapped,
      untapped: () => selector.abort(),
      touched: () => {
        ui.release();
        hint();
      },
      viewed: () => {
        if (!stage) return;
        ui.show({ fit: !stage.view.fitted });
        clearTimeout(sharpening);
        sharpening = setTimeout(sharpen, SHARPEN_DELAY);
      },
    });
    draft = new DraftKeeper(id, () => ({ ops: strokes.ops, ...rounds.state })); // after the stage, which ends strokes
    stage.painter.isCutout = isCutout;
    ui.tool('brush');
    resizeBrush(ui.size, true);
    stage.locked = true;
    await resume(edit);
  } catch (error) {
    const retry = error instanceof PageError && (error.status === 0 || error.status >= 500);
    ui.showNotice(explain(error), retry);
  }
}

/** Restore the draft, or start with the edit's mask; then follow an edit that is still running. */
async function resume(/** @type {Edit} */ edit) {
  if (!stage) return;
  await showPicture();
  const first = await rounds.initialOps();
  rounds.setPainting(isCutout ? rounds.at : 0, { ops: first, undone: [] });
  const saved = await draft.load(async (restored) => {
    if (isCutout) rounds.restore(restored);
    return (isCutout ? await rounds.initialOps() : first)[0]?.mask;
  });
  if (saved) {
    rounds.restore(saved);
    strokes.replace(saved.ops);
    await showPicture().catch(() => rounds.restart()); // the server has deleted a round
  } else {
    rounds.restart();
    if (isCutout || !rounds.at) strokes.replace(first);
  }
  working = stage.locked = false;
  refresh();
  hint();
  const busy = edit.state === 'queued' || edit.state === 'running';
  const pending = saved?.pending ?? (busy ? edit.id : null);
  if (pending) await work(() => follow(pending));
}

async function showPicture() {
  const picture = await rounds.picture();
  if (picture !== shown) await stage?.show(shown = picture);
}

async function sharpen() {
  const before = shown;
  if (working || !stage || stage.comparing) return;
  await rounds.sharpen().catch(() => {}); // a later zoom tries again
  if (!working && shown === before && !stage.comparing) await showPicture();
}

function changed() {
  if (stage?.comparing) {
    stage.compare(null);
    ui.release();
  }
  stage?.redraw();
  stage?.mark(strokes.openSelection(selector.session)?.taps ?? []);
  draft?.scheduleSave();
  refresh();
}

function change(/** @type {Op} */ op) {
  if (!addsPaint(op) && op.kind !== 'clear' && !strokes.painted) return stage?.redraw();
  rounds.changed = true;
  strokes.add(op);
  telegram.haptic('light');
  hint();
}

/** Update all buttons, Telegram's and the page's. */
function refresh() {
  if (!rounds || !stage) return;
  const { painted, canSend } = strokes;
  const idle = !working;
  const erased = rounds.at > 0;
  ui.enable({
    undo: idle && (strokes.canUndo || erased),
    redo: idle && (strokes.undone.length > 0 || rounds.canRedo),
    clear: idle && painted,
    invert: idle,
    'fallback-erase': idle && canSend,
    'undo-round': idle,
    compare: painted || erased,
  });
  const onPage = !telegram.secondaryButton.exists;
  const cancels = running && rounds.pending !== null;
  const floating = { 'undo-round': onPage && erased && !running, cancel: onPage && cancels };
  ui.show({ ...floating, 'fallback-erase': !hasMainButton, done: erased });
  telegram.mainButton.set({ text: say('erase'), visible: true, active: idle && canSend, progress: running });
  const second = running ? 'cancel' : 'undoRound';
  telegram.secondaryButton.set({ text: say(second), visible: running ? cancels : erased, active: idle || cancels });
  telegram.confirmClosing(idle && canSend);
}

/** Say what to do next: if nothing is painted yet, and always while a cut-out is corrected. */
function hint() {
  if (working) return;
  const selected = strokes.openSelection(selector.session);
  if (isCutout && stage?.tool !== 'select') ui.status(say(stage?.comparing ? 'finished' : 'paint'));
  else if (stage?.tool === 'select') ui.status(say(selected ? 'refine' : 'tap'));
  else if (strokes.ops.length) ui.status('');
  else ui.status(say(rounds.at ? 'finished' : 'paint'));
}

function chooseTool(/** @type {ToolName} */ tool) {
  if (!stage) return;
  if (stage.tool !== tool) telegram.haptic('select');
  stage.tool = tool;
  if (stage.cursor.at) stage.aim(stage.cursor.at);
  selector.startNew();
  stage.mark([]);
  hint();
  if (used.has(tool)) return;
  used.add(tool);
  if (used.size > 1 && isKey(`${tool}-does`)) ui.status(say(/** @type {'lasso-does'} */ (`${tool}-does`)));
}

function resizeBrush(/** @type {number} */ size, /** @type {boolean} */ done) {
  if (!stage) return;
  stage.size = size;
  stage.preview(!done);
}

/** Space paints at the keys' cursor; without one it drags the photo with the mouse. */
function holdSpace(/** @type {boolean} */ on) {
  if (!stage) return;
  if (on && stage.cursor.at) return stage.cursor.space(true);
  if (!on) stage.cursor.space(false); // both: the cursor may have appeared or gone since
  stage.input.spaceHeld = on;
  document.body.classList.toggle('grabbing', on);
}

function moveCursor(/** @type {number} */ dx, /** @type {number} */ dy) {
  if (stage && !stage.cursor.at) ui.status(say('keys'));
  stage?.cursor.move(dx, dy);
}

function escape() {
  if (stage?.input.busy) stage.input.abort();
  else if (selector.busy) selector.abort();
  else stage?.fit();
}

function undo() {
  if (stage?.input.byKeys) return stage.input.abort(); // an outline that no key holds
  if (working || stage?.input.busy) return;
  if (selector.busy) return selector.abort();
  if (!strokes.undo() && rounds.at) undoRound();
  else hint();
}

function redo() {
  if (working || stage?.input.busy) return;
  if (strokes.redo()) hint();
  else if (rounds.canRedo) changeRound(rounds.redo({ ops: strokes.ops, undone: strokes.undone }), 'finished');
}

function undoRound() {
  if (working || stage?.input.busy || !rounds.at) return;
  telegram.haptic('medium');
  changeRound(rounds.undo({ ops: strokes.ops, undone: strokes.undone }), 'undone');
}

async function changeRound(/** @type {Painting} */ painting, /** @type {import('./strings.js').Key} */ message) {
  strokes.replace(painting.ops, painting.undone);
  ui.status(say(message));
  await work(async () => {
    if (isCutout && !painting.ops.length) strokes.replace(await rounds.initialOps());
    await showPicture();
    // The picture in the chat follows; an automatic result has its photo on the stage, and stays in the chat.
    await api.show(rounds.target, rounds.onPhoto && rounds.edit.operation === 'erase');
  }, false);
}

async function tapped(/** @type {{x: number, y: number}} */ at) {
  if (!stage || working) return;
  ui.status(say('selecting'));
  stage.mark([...(strokes.openSelection(selector.session)?.taps ?? []), { ...at, keep: true }]);
  try {
    const request = api.select.bind(api, rounds.target, rounds.onPhoto);
    const found = await selector.tap(at, strokes, stage.view, request);
    if (found && found !== 'nothing') return change(found);
    if (selector.busy) return;
    changed();
    hint();
    if (found) ui.status(say('notSelected'), true);
  } catch (error) {
    changed();
    ui.status(explain(error), true);
  }
}

async function erase() {
  if (working || !stage) return;
  stage.input.interrupt(); // what is under the finger is sent too
  if (!strokes.painted) return ui.status(say('mask-empty'), true);
  if (!strokes.canSend) return;
  selector.startNew();
  await work(async () => {
    ui.status(say('sending'));
    const id = await rounds.send(strokes.visible());
    await follow(id);
  });
}

function cancel() {
  // An error is ignored: the events tell how the edit ends.
  if (rounds.pending) api.cancel(rounds.pending).catch(() => {});
}

async function follow(/** @type {string} */ id) {
  rounds.pending = id;
  draft.save();
  refresh();
  const painting = isCutout ? { ops: strokes.base, undone: [] } : { ops: strokes.ops, undone: strokes.undone };
  await rounds.follow(id, painting, ({ type, data }) => {
    const key = type === 'stage' ? String(data.stage) : type === 'queued' && !data.position ? 'waiting' : type;
    if (isKey(key)) ui.status(say(key, { position: data.position ?? 0 }));
  });
  await showPicture();
  strokes.replace(isCutout ? await rounds.initialOps() : []);
  if (isCutout) stage?.compare(URL.createObjectURL(await rounds.result()), say('erase'), true);
  telegram.haptic('success');
  ui.status(say('finished'));
  draft.save();
}

/** Run a job while painting is blocked; show its error. */
async function work(/** @type {() => Promise<void>} */ job, shown = true) {
  working = true;
  running = shown;
  if (stage) stage.locked = true;
  ui.setWorking(running);
  refresh();
  try {
    await job();
  } catch (error) {
    telegram.haptic('error');
    ui.status(explain(error), true);
  } finally {
    working = running = false;
    if (stage) stage.locked = false;
    ui.setWorking(false);
    draft.save();
    refresh();
  }
}

/** Close the page: the results are in the chat already. */
function done() {
  telegram.confirmClosing(false);
  draft.save();
  if (!telegram.close()) ui.showNotice(say('closeHint'));
}
