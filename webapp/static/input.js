/**
 * Pointer and wheel events on the stage, turned into gestures: one finger paints, more zoom and pan. Pointers are
 * captured, so a stroke may leave the stage. Not every end is reported (docs/architecture.md#how-a-stroke-ends).
 */

const COMMITTED = { time: 400, way: 24 }; // ms, CSS px: a second finger ends a stroke longer than both, else cancels it
const TAP = { time: 220, way: 8 };
const DOUBLE = { time: 280, way: 18 };
const WHEEL = 0.0018;
const KEYS = -2; // id of the stroke that is drawn by keys; no pointer has it
const PEN_REST = 1500; // ms after a pen event, touches come from the resting hand

/** A call, another app or another window: the ends of touches may be lost. @param {() => void} interrupted */
export function onInterruption(interrupted) {
  addEventListener('blur', interrupted);
  addEventListener('pagehide', interrupted);
  document.addEventListener('visibilitychange', () => document.hidden && interrupted());
}

export class Input {
  /** @type {Map<number, Pointer>} Those that are down, by id. */
  #pointers = new Map();
  /** @type {'idle' | 'stroke' | 'camera' | 'over'} */
  #mode = 'idle';
  #strokeId = -1;
  #began = { time: 0, x: 0, y: 0, way: 0 };
  #lastTap = { time: -Infinity, x: 0, y: 0 };
  #penSeen = -Infinity;
  #box = { left: 0, top: 0 };
  #stageSize = '';
  #wheelRest = 0;
  spaceHeld = false;

  /**
   * @param {HTMLElement} stage
   * @param {GestureHandlers} handlers
   */
  constructor(stage, handlers) {
    this.stage = stage;
    this.handlers = handlers;
    const quiet = { passive: false };
    stage.addEventListener('pointerdown', (event) => this.#down(event));
    stage.addEventListener('pointermove', (event) => this.#move(event));
    stage.addEventListener('pointerup', (event) => this.#up(event, false));
    stage.addEventListener('pointercancel', (event) => this.#up(event, true));
    stage.addEventListener('lostpointercapture', ({ pointerId }) => {
      if (!stage.hasPointerCapture(pointerId)) this.#release(pointerId);
    });
    onInterruption(() => {
      this.#cancelShort();
      this.#releaseAll();
    });
    stage.addEventListener('pointerleave', () => handlers.hover(null));
    stage.addEventListener('wheel', (event) => this.#wheel(event), quiet);
    for (const type of ['contextmenu', 'touchstart', 'touchmove', 'gesturestart', 'dragstart']) {
      stage.addEventListener(type, (event) => event.cancelable && event.preventDefault(), quiet);
    }
  }

  /** Discard the stroke under the finger. */
  abort() {
    if (this.#mode === 'stroke') this.#rest('cancel');
    this.lift();
  }

  /** Begin a stroke by a key. @param {Point} at */
  press(at) {
    if (this.#mode !== 'idle') return;
    this.measure();
    this.#pointers.set(KEYS, { ...at, type: 'keys' });
    this.#begin(KEYS, { time: 0, ...at, way: Infinity }, { touch: false, erase: false, eraser: false }); // meant, however short
    if (!this.busy) this.lift();
  }

  /** Continue the stroke of a key. @param {Point} at */
  moveTo(at) {
    if (this.byKeys) this.handlers.move([at]);
  }

  /** Whether a stroke is being drawn by keys. */
  get byKeys() {
    return this.busy && this.#strokeId === KEYS;
  }

  /** End the stroke of a key, if there is one. */
  lift() {
    this.#release(KEYS);
  }

  /** End the gesture and keep its stroke; the fingers that are down do nothing until they are lifted. */
  interrupt() {
    this.#rest('end');
    this.lift();
  }

  /** Whether a stroke is being drawn. */
  get busy() {
    return this.#mode === 'stroke';
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const { pointerId: id, pointerType: type } = event;
    if (type === 'mouse' && event.button > 1) return;
    this.lift();
    // An id or a primary pointer comes again only after the one before has ended.
    for (const [known, pointer] of this.#pointers) {
      if (known === id || (event.isPrimary && pointer.type === type)) this.#release(known);
    }
    const touch = type === 'touch';
    if (touch && this.#penDown) return; // the hand that holds the pen
    if (type === 'pen') {
      this.#penSeen = event.timeStamp;
      this.#interject(); // the palm came first
      this.#releaseAll();
    }
    const first = this.#pointers.size === 0;
    if (first) this.measure();
    const at = this.#position(event);
    try {
      this.stage.setPointerCapture(id);
    } catch {
      // the pointer is gone
    }
    this.#pointers.set(id, { ...at, type });
    if (!first && this.#mode === 'stroke') this.#interject();
    if (!first || event.button === 1 || (this.spaceHeld && !touch)) this.#mode = 'camera';
    else if (touch && event.timeStamp - this.#penSeen < PEN_REST) this.#mode = 'over';
    else {
      const options = { touch: type !== 'mouse', erase: event.altKey, eraser: (event.buttons & 32) > 0 };
      this.#begin(id, { time: event.timeStamp, ...at, way: 0 }, options);
    }
  }

  /**
   * @param {number} id
   * @param {Point & {time: number, way: number}} began
   * @param {StrokeOptions} options
   */
  #begin(id, began, options) {
    this.#mode = this.handlers.begin(began, options) ? 'stroke' : 'over';
    this.#strokeId = id;
    this.#began = began;
  }

  get #penDown() {
    return [...this.#pointers.values()].some(({ type }) => type === 'pen');
  }

  /** Another finger or a pen ends the gesture: a stroke that has just begun was half of a pinch, or the palm. */
  #interject() {
    const long = performance.now() - this.#began.time > COMMITTED.time && this.#began.way > COMMITTED.way;
    this.#rest(long ? 'end' : 'cancel');
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { pointerId: id, pointerType: type } = event;
    if (type === 'pen') this.#penSeen = event.timeStamp;
    if (!event.buttons) this.#release(id); // its end was lost
    const before = this.#pointers.get(id);
    if (!before) {
      if (type === 'mouse') this.handlers.hover(this.#position(event));
      return;
    }
    // the phone is turned; the stage learns it a frame later
    if (this.#mode !== 'over' && this.#stageSize !== this.#currentSize()) this.interrupt();
    const at = this.#position(event);
    if (this.#mode === 'stroke' && id === this.#strokeId) {
      const parts = event.getCoalescedEvents?.() ?? [];
      const points = parts.length ? parts.map((part) => this.#position(part)) : [at];
      this.#began.way += Math.hypot(at.x - before.x, at.y - before.y);
      this.handlers.move(points);
    } else if (this.#mode === 'camera') {
      this.#camera(before, at);
    }
    this.#pointers.set(id, { ...at, type });
  }

  /** Read where the stage is: it may have moved. */
  measure() {
    this.#box = this.stage.getBoundingClientRect();
    this.#stageSize = this.#currentSize();
  }

  #currentSize() {
    return `${this.stage.clientWidth}x${this.stage.clientHeight}`;
  }

  /**
   * A finger has moved: zoom and pan so that the photo stays under two of them; a third one changes nothing.
   * @param {Point} before
   * @param {Point} at
   */
  #camera(before, at) {
    const [first, second] = this.#pointers.values();
    const other = before === first ? second : first;
    if (!second) return this.handlers.pan(at.x - before.x, at.y - before.y);
    if (before !== first && before !== second) return;
    const middle = (/** @type {Point} */ point) => ({ x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
    const apart = (/** @type {Point} */ point) => Math.max(8, Math.hypot(point.x - other.x, point.y - other.y));
    this.handlers.zoom(apart(at) / apart(before), middle(before), middle(at));
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} cancelled By the system, for a call, a palm or a gesture of its own.
   */
  #up(event, cancelled) {
    const { pointerId: id } = event;
    if (this.#mode === 'stroke' && id === this.#strokeId) {
      if (cancelled) this.#cancelShort();
      else if (this.#isSecondTap(event) && this.handlers.doubleTap()) this.#rest('cancel');
    }
    this.#release(id);
  }

  /** The gesture was taken away: a stroke or tap that had just begun is not meant. */
  #cancelShort() {
    if (this.busy && this.#began.way < COMMITTED.way) this.#rest('cancel');
  }

  /** A pointer has ended. @param {number} id */
  #release(id) {
    if (!this.#pointers.delete(id)) return;
    const ends = this.#mode === 'stroke' ? id === this.#strokeId : this.#pointers.size < 2;
    if (ends) this.#rest('end'); // the finger that remains after a pinch paints nothing
    if (!this.#pointers.size) this.#mode = 'idle';
  }

  #releaseAll() {
    for (const id of this.#pointers.keys()) this.#release(id);
  }

  /** End the gesture; the pointers that are down rest. @param {'end' | 'cancel'} how What becomes of a stroke. */
  #rest(how) {
    const mode = this.#mode;
    if (mode !== 'idle') this.#mode = 'over';
    if (mode === 'stroke') this.handlers[how]();
    if (mode === 'camera') this.handlers.settle();
  }

  /** @param {PointerEvent} event */
  #isSecondTap(event) {
    const { time, x, y, way } = this.#began;
    const tap = event.timeStamp - time < TAP.time && way < TAP.way;
    const last = this.#lastTap;
    const second = tap && time - last.time < DOUBLE.time && Math.hypot(x - last.x, y - last.y) < DOUBLE.way;
    this.#lastTap = tap && !second ? { time: event.timeStamp, x, y } : { time: -Infinity, x: 0, y: 0 };
    return second;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (this.#mode !== 'idle') return;
    const at = this.#position(event);
    const unit = event.deltaMode === 1 ? 18 : 1;
    if (!event.ctrlKey && (event.deltaX || event.shiftKey)) {
      const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
      this.handlers.pan(-across * unit, event.shiftKey ? 0 : -event.deltaY * unit);
    } else {
      const speed = event.ctrlKey ? WHEEL * 5 : WHEEL; // a pinch on a trackpad is a wheel event with ctrl, in small steps
      this.handlers.zoom(Math.exp(-event.deltaY * unit * speed), at, at);
    }
    clearTimeout(this.#wheelRest);
    this.#wheelRest = setTimeout(() => this.handlers.settle(), 160);
  }

  /** @param {MouseEvent} event */
  #position(event) {
    return { x: event.clientX - this.#box.left, y: event.clientY - this.#box.top };
  }
}
