/** The page: opens an edit, and joins stage, rounds, draft and Telegram's shell. */

import { Api } from './api.js';
import { DraftKeeper } from './draft.js';
import { Rounds } from './rounds.js';
import { Selector } from './selection.js';
import { Stage } from './stage.js';
import { explain, known, say, speak, Trouble } from './strings.js';
import { adds, Strokes } from './strokes.js';
import * as telegram from './telegram.js';
import { Ui } from './ui.js';

/** @type {Api} */ let api;
/** @type {Rounds} */ let rounds;
/** @type {Stage | undefined} */ let stage;
/** @type {DraftKeeper} */ let draft;
let working = true; // nothing can be painted now
let making = false; // … because an edit is being made
let ownButton = false;
let keeps = false; // a cut-out is corrected: the painted stays
/** @type {Blob | undefined} */ let shown;
const selector = new Selector();

telegram.applyLaunchTheme();
speak(telegram.language());

const strokes = new Strokes(changed);
const ui = new Ui({
  ...{ undo, redo, undoRound, cancel, erase, done, escape },
  tool: chooseTool,
  size: resizeBrush,
  space: holdSpace,
  compare: (held) => stage?.compare(held ? rounds.original : null, say('original')),
  clear: () => strokes.painted && change({ kind: 'clear' }),
  invert: () => change({ kind: 'invert' }),
  fit: () => stage?.fit(),
  zoom: (factor) => stage?.zoom(factor),
  fullscreen: () => telegram.fullscreen.toggle(),
});
ui.notice(say('opening'));

const shell = telegram.settle(refresh).then((hasMainButton) => {
  ownButton = !hasMainButton;
  telegram.mainButton.onPress(erase);
  telegram.secondaryButton.onPress(() => (making ? cancel() : undoRound()));
  telegram.fullscreen.watch();
  ui.show({ fullscreen: telegram.fullscreen.offered });
  refresh();
});
open();

async function open() {
  if (!telegram.initData()) await shell;
  const id = telegram.editId();
  if (!telegram.initData() || !id) return ui.notice(say('outside'));
  try {
    api = new Api(telegram.initData());
    await api.open();
    const [edit, photo] = await Promise.all([api.edit(id), api.picture(id, 'photo')]);
    rounds = new Rounds(api, edit, photo);
    keeps = strokes.keeps = rounds.keeps;
    speak(edit.language, keeps);
    document.body.classList.toggle('keeping', keeps);
    draft = new DraftKeeper(id, () => ({ ops: strokes.ops, ...rounds.state }));
    ui.open(); // before the stage: it has no size while hidden
    stage = new Stage(/** @type {HTMLElement} */ (document.getElementById('stage')), strokes, edit, {
      painted: change,
      tapped,
      untapped: () => selector.abort(),
      touched: hint,
      viewed: () => stage && ui.show({ fit: !stage.view.fitted }),
    });
    stage.painter.keeps = keeps;
    ui.tool('brush');
    resizeBrush(ui.size, true);
    stage.locked = true;
    await resume(edit);
  } catch (error) {
    const passing = error instanceof Trouble && (error.status === 0 || error.status >= 500);
    ui.notice(explain(error), passing);
  }
}

/** Paint what the edit came with, or what a draft kept; follow what is still being made. */
async function resume(/** @type {import('./api.js').Edit} */ edit) {
  if (!stage) return;
  await showPicture();
  const first = await rounds.beginning();
  rounds.keep(keeps ? rounds.at : 0, { ops: first, undone: [] });
  const kept = await draft.load(async (left) => {
    if (keeps) rounds.restore(left);
    return (keeps ? await rounds.beginning() : first)[0]?.mask;
  });
  if (kept) {
    rounds.restore(kept);
    strokes.replace(kept.ops);
    await showPicture().catch(() => rounds.restart()); // a round that the server has forgotten
  } else {
    rounds.restart();
    if (keeps || !rounds.at) strokes.replace(first);
  }
  working = stage.locked = false;
  refresh();
  hint();
  const busy = edit.state === 'queued' || edit.state === 'running';
  const pending = kept?.pending ?? (busy ? edit.id : null);
  if (pending) await work(() => follow(pending));
}

async function showPicture() {
  const picture = await rounds.picture();
  if (picture !== shown) await stage?.show(shown = picture);
}

function changed() {
  if (stage?.resting) stage.compare(null);
  stage?.redraw();
  stage?.mark(strokes.openSelection(selector.session)?.taps ?? []);
  draft?.touch();
  refresh();
}

function change(/** @type {Op} */ op) {
  if (!adds(op) && op.kind !== 'clear' && !strokes.painted) return stage?.redraw();
  rounds.changed = true;
  strokes.add(op);
  telegram.haptic('light');
  hint();
}

/** Buttons, Telegram's and ours, as they now make sense. */
function refresh() {
  if (!rounds || !stage) return;
  const { painted, ready } = strokes;
  const idle = !working;
  const erased = rounds.at > 0;
  ui.enable({
    undo: idle && (strokes.canUndo || erased),
    redo: idle && (strokes.undone.length > 0 || rounds.canRedo),
    clear: idle && painted,
    invert: idle,
    'fallback-erase': idle && ready,
    'undo-round': idle,
    compare: painted || erased,
  });
  const own = !telegram.secondaryButton.exists;
  const cancels = making && rounds.pending !== null;
  const floating = { 'undo-round': own && erased && !making, cancel: own && cancels };
  ui.show({ ...floating, 'fallback-erase': ownButton, done: erased });
  telegram.mainButton.set({ text: say('erase'), visible: true, active: idle && ready, progress: making });
  const second = making ? 'cancel' : 'undoRound';
  telegram.secondaryButton.set({ text: say(second), visible: making ? cancels : erased, active: idle || cancels });
  telegram.confirmClosing(idle && ready);
}

/** What to do next, where nothing is painted yet; where a cut-out is corrected, always: it says what the ink means. */
function hint() {
  if (working) return;
  const selected = strokes.openSelection(selector.session);
  if (keeps && stage?.tool !== 'select') ui.status(say(stage?.resting ? 'finished' : 'paint'));
  else if (stage?.tool === 'select') ui.status(say(selected ? 'refine' : 'tap'));
  else if (strokes.ops.length) ui.status('');
  else ui.status(say(rounds.at ? 'finished' : 'paint'));
}

function chooseTool(/** @type {ToolName} */ tool) {
  if (!stage) return;
  if (stage.tool !== tool) telegram.haptic('select');
  stage.tool = tool;
  selector.renew();
  stage.mark([]);
  hint();
}

function resizeBrush(/** @type {number} */ size, /** @type {boolean} */ done) {
  if (!stage) return;
  stage.size = size;
  done ? stage.endPreview() : stage.preview();
}

function holdSpace(/** @type {boolean} */ on) {
  if (stage) stage.input.spaceHeld = on;
  document.body.classList.toggle('grabbing', on);
}

function escape() {
  if (stage?.input.busy) stage.input.abort();
  else if (selector.busy) selector.abort();
  else stage?.fit();
}

function undo() {
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
  if (working || !rounds.at) return;
  telegram.haptic('medium');
  changeRound(rounds.undo({ ops: strokes.ops, undone: strokes.undone }), 'undone');
}

async function changeRound(/** @type {Painting} */ painting, /** @type {import('./strings.js').Key} */ told) {
  strokes.replace(painting.ops, painting.undone);
  ui.status(say(told));
  await work(async () => {
    if (keeps && !painting.ops.length) strokes.replace(await rounds.beginning());
    await showPicture();
  }, false);
}

async function tapped(/** @type {{x: number, y: number}} */ at) {
  if (!stage || working) return;
  ui.status(say('selecting'));
  stage.mark([...(strokes.openSelection(selector.session)?.taps ?? []), { ...at, keep: true }]);
  try {
    const ask = api.select.bind(api, rounds.target, rounds.onPhoto);
    const found = await selector.tap(at, strokes, stage.view, ask);
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
  if (!strokes.painted) return ui.status(say('mask-empty'), true);
  if (!strokes.ready) return;
  stage.input.abort();
  selector.renew();
  await work(async () => {
    ui.status(say('sending'));
    const id = await rounds.send(strokes.visible());
    await follow(id);
  });
}

function cancel() {
  // Too late, or the connection is gone: the events tell how it ends.
  if (rounds.pending) api.cancel(rounds.pending).catch(() => {});
}

async function follow(/** @type {string} */ id) {
  rounds.pending = id;
  draft.save();
  refresh();
  const painting = keeps ? { ops: strokes.base, undone: [] } : { ops: strokes.ops, undone: strokes.undone };
  await rounds.follow(id, painting, ({ type, data }) => {
    const key = type === 'stage' ? data.stage : type === 'queued' && !data.position ? 'waiting' : type;
    if (known(key)) ui.status(say(key, { position: data.position ?? 0 }));
  });
  await showPicture();
  strokes.replace(keeps ? await rounds.beginning() : []);
  if (keeps) stage?.compare(URL.createObjectURL(await rounds.result()), say('erase'), true);
  telegram.haptic('success');
  ui.status(say('finished'));
  draft.save();
}

/** Do something during which nothing can be painted; say what went wrong with it. */
async function work(/** @type {() => Promise<void>} */ job, shown = true) {
  working = true;
  making = shown;
  if (stage) stage.locked = true;
  ui.working(making);
  refresh();
  try {
    await job();
  } catch (error) {
    telegram.haptic('error');
    ui.status(explain(error), true);
  } finally {
    working = making = false;
    if (stage) stage.locked = false;
    ui.working(false);
    draft.save();
    refresh();
  }
}

/** The results are in the chat already. */
function done() {
  telegram.confirmClosing(false);
  draft.save();
  if (!telegram.close()) ui.notice(say('closeHint'));
}
