/** Buttons, slider, keys and status text around the stage; it calls the actions that it is given. */

import { setting } from './draft.js';
import { onInterruption } from './input.js';
import { say } from './strings.js';

const SMALLEST = 6; // CSS px
const LARGEST = 140;
const TAP = 300; // ms: a longer press is a hold
const TOOLS = ['brush', 'eraser', 'lasso', 'rect', 'select'];
const ARROWS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };
const FINE = 1 / 6; // of a step, with Shift
const TOOL_KEYS = { b: 'brush', e: 'eraser', l: 'lasso', r: 'rect', s: 'select' };

/** @param {string} name @returns {any} */
export const byTestId = (name) => document.querySelector(`[data-testid="${name}"]`);

/** @param {string} name @returns {any} */
const byId = (name) => document.getElementById(name);

/** Whether a button cannot be pressed. @param {Element} button */
const isOff = (button) => button.getAttribute('aria-disabled') === 'true';

/** Let a press of a button that cannot be pressed do nothing. @param {MouseEvent} event */
function stopIfOff(event) {
  const button = event.target instanceof Element && event.target.closest('button');
  if (!button || !isOff(button)) return;
  event.stopImmediatePropagation();
  if (event.detail) button.blur();
}

export class Ui {
  /** @type {HTMLInputElement} */
  #slider = byTestId('size');

  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    for (const tool of TOOLS) byTestId(`tool-${tool}`).onclick = () => this.tool(tool);
    for (const name of ['undo', 'redo', 'clear', 'invert', 'fit', 'fullscreen', 'cancel', 'done']) {
      byTestId(name).onclick = () => actions[/** @type {Press} */ (name)]();
    }
    byTestId('undo-round').onclick = () => actions.undoRound();
    byTestId('fallback-erase').onclick = () => actions.erase();
    this.#hold(byTestId('compare'), actions.compare);
    this.#bindSlider();
    this.#roam(byId('tools'));
    addEventListener('click', stopIfOff, true);
    // A button pressed by pointer loses the focus, so that Space and Enter act on the canvas.
    addEventListener('click', ({ detail, target }) => {
      if (detail && target instanceof Element) target.closest('button')?.blur();
    });
    addEventListener('keydown', (event) => this.#key(event));
    addEventListener('keyup', (event) => event.code === 'Space' && actions.space(false));
    onInterruption(() => actions.space(false));
  }

  /** Choose a tool. @param {string} tool */
  tool(tool) {
    for (const name of TOOLS) byTestId(`tool-${name}`).setAttribute('aria-pressed', String(name === tool));
    byId('size-row').classList.toggle('off', tool !== 'brush' && tool !== 'eraser');
    document.body.classList.toggle('tapping', tool === 'select');
    document.body.classList.toggle('outlining', tool === 'lasso' || tool === 'rect');
    this.actions.tool(/** @type {ToolName} */ (tool));
  }

  /** The picture is no longer compared with the original. */
  release() {
    byTestId('compare').setAttribute('aria-pressed', 'false');
  }

  /** The brush's size in CSS px; the slider's scale is logarithmic. */
  get size() {
    return SMALLEST * (LARGEST / SMALLEST) ** (Number(this.#slider.value) / 100);
  }

  /** Show a status text. @param {string} text @param {boolean} [wrong] */
  status(text, wrong = false) {
    const element = byId('status');
    element.classList.toggle('wrong', wrong);
    if (element.textContent !== text) element.textContent = text;
  }

  /**
   * A button that cannot be pressed keeps the focus: `disabled` would take it away.
   * @param {Record<string, boolean>} states By test id: whether it can be pressed.
   */
  enable(states) {
    for (const [name, on] of Object.entries(states)) byTestId(name).setAttribute('aria-disabled', String(!on));
  }

  /** @param {Record<string, boolean>} states By test id: whether it is shown. */
  show(states) {
    for (const [name, on] of Object.entries(states)) {
      const element = byTestId(name);
      if (!on && element === document.activeElement) byId('stage').focus();
      element.hidden = !on;
    }
  }

  /** @param {boolean} on Whether an edit is running. */
  setWorking(on) {
    document.body.classList.toggle('working', on);
    document.body.classList.toggle('locked', on);
    byId('progress').hidden = !on;
  }

  /** Show the page: the photo is loaded. */
  showApp() {
    byId('app').hidden = false;
    byId('notice').classList.add('off');
  }

  /**
   * Show a message instead of the page.
   * @param {string} text
   * @param {boolean} [retry] Whether to offer another try.
   */
  showNotice(text, retry = false) {
    byId('app').hidden = true;
    const notice = byId('notice');
    notice.classList.remove('off');
    notice.classList.toggle('still', text !== say('opening'));
    notice.querySelector('p').textContent = text;
    byTestId('again').hidden = !retry;
    byTestId('again').onclick = () => location.reload();
  }

  #bindSlider() {
    const { actions } = this;
    this.#slider.value = setting('brush-size') ?? '57';
    const update = (/** @type {boolean} */ done) => {
      this.#slider.setAttribute('aria-valuetext', `${Math.round(this.size)} px`);
      document.body.classList.toggle('sizing', !done);
      actions.size(this.size, done);
      if (done) setting('brush-size', this.#slider.value);
    };
    this.#slider.oninput = () => update(false);
    this.#slider.onpointerdown = () => update(false);
    for (const type of ['change', 'pointerup', 'pointercancel', 'lostpointercapture', 'blur']) {
      this.#slider.addEventListener(type, () => update(true));
    }
    onInterruption(() => update(true));
    update(true);
  }

  /** @param {number} step */
  #resize(step) {
    this.#slider.value = String(Number(this.#slider.value) + step);
    this.#slider.dispatchEvent(new Event('input'));
    clearTimeout(this.#sizing);
    this.#sizing = setTimeout(() => this.#slider.dispatchEvent(new Event('change')), 700);
  }

  #sizing = 0;

  /**
   * Bind a button that acts while it is held, by finger or key; after a tap it acts until the next one.
   * @param {HTMLElement} button
   * @param {(on: boolean) => void} action
   */
  #hold(button, action) {
    let since = 0; // when the press began; 0: none is held
    const isOn = () => button.getAttribute('aria-pressed') === 'true';
    const set = (/** @type {boolean} */ on) => {
      if (isOn() === on) return;
      button.setAttribute('aria-pressed', String(on));
      action(on);
    };
    const press = (/** @type {Event} */ { timeStamp }) => {
      if (since || isOff(button)) return; // a key repeats while it is held
      since = isOn() ? -TAP : timeStamp; // a second tap ends it
      set(true);
    };
    const release = (/** @type {Event} */ { timeStamp }) => {
      if (since && timeStamp - since > TAP) set(false);
      since = 0;
    };
    button.addEventListener('pointerdown', (event) => {
      button.setPointerCapture(event.pointerId);
      press(event);
    });
    for (const type of ['pointerup', 'lostpointercapture', 'keyup']) button.addEventListener(type, release);
    const interrupt = () => {
      if (since) set(false); // a tapped button keeps acting when it loses the focus
      since = 0;
    };
    for (const type of ['pointercancel', 'blur']) button.addEventListener(type, interrupt);
    onInterruption(interrupt);
    button.addEventListener('keydown', (event) => {
      if (event.key === ' ' || event.key === 'Enter') press(event);
    });
    button.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  /** Arrow keys move within a toolbar; Tab enters and leaves it (ARIA practices, toolbar). */
  #roam(/** @type {HTMLElement} */ toolbar) {
    const buttons = [...toolbar.querySelectorAll('button')];
    const choose = (/** @type {unknown} */ chosen) =>
      buttons.forEach((button) => (button.tabIndex = button === chosen ? 0 : -1));
    choose(buttons[0]);
    toolbar.addEventListener('focusin', ({ target }) => choose(target));
    toolbar.addEventListener('keydown', (event) => {
      const index = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
      const last = buttons.length - 1;
      const [before, after] = [index > 0 ? index - 1 : last, index < last ? index + 1 : 0];
      const next = { ArrowLeft: before, ArrowRight: after, Home: 0, End: last }[event.key];
      if (next === undefined) return;
      buttons[next].focus();
      event.preventDefault();
    });
  }

  /** @param {number[]} way @param {boolean} fine */
  #arrow([x, y], fine) {
    const step = fine ? FINE : 1;
    this.actions.arrow(x * step, y * step);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { actions } = this;
    const focus = document.activeElement;
    const onControl = focus instanceof HTMLButtonElement || focus instanceof HTMLInputElement;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (byId('app').hidden || event.isComposing) return;
    if (key === 'z') event.shiftKey ? actions.redo() : actions.undo();
    else if (command && key === 'y') actions.redo();
    else if (command || event.altKey) return;
    else if (key === '[') this.#resize(-4);
    else if (key === ']') this.#resize(4);
    else if (key in TOOL_KEYS) this.tool(TOOL_KEYS[/** @type {'b'} */ (key)]);
    else if (key === 'escape') actions.escape();
    else if (key === '0') actions.fit();
    else if (key === '+' || key === '=') actions.zoom(1.25);
    else if (key === '-') actions.zoom(0.8);
    else if (onControl) return; // what follows are its own keys
    else if (key in ARROWS) this.#arrow(ARROWS[/** @type {'arrowup'} */ (key)], event.shiftKey);
    else if (event.code === 'Space') event.repeat || actions.space(true);
    else if (key === 'enter') event.repeat || actions.erase();
    else return;
    event.preventDefault();
  }
}
