/**
 * Pointer and wheel events on the stage, turned into gestures. One finger paints; two or more zoom and pan. Pointers are
 * captured, so a stroke may leave the stage and come back. Browsers do not report the end of every pointer: see
 * docs/telegram.md#interrupted-strokes for how each of these strokes ends.
 */

const COMMITTED = { time: 400, way: 24 }; // ms, CSS px: a second finger ends a stroke longer than both, else cancels it
const TAP = { time: 220, way: 8 };
const DOUBLE = { time: 280, way: 18 };
const WHEEL = 0.0018;
const PEN_REST = 1500; // ms after a pen event, touches come from the resting hand
const NEAREST = 4; // CSS px: fingers closer to their middle than this do not zoom

/**
 * Call a function when the page can no longer hear how a touch ends: a call, another app, another window.
 * @param {() => void} interrupted
 */
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
    stage.addEventListener('pointerup', (event) => this.#up(event));
    stage.addEventListener('pointercancel', (event) => this.#cancel(event));
    stage.addEventListener('lostpointercapture', ({ pointerId }) => {
      if (!stage.hasPointerCapture(pointerId)) this.#release(pointerId);
    });
    onInterruption(() => [...this.#pointers.keys()].forEach((id) => this.#release(id)));
    stage.addEventListener('pointerleave', () => handlers.hover(null));
    stage.addEventListener('wheel', (event) => this.#wheel(event), quiet);
    for (const type of ['contextmenu', 'touchstart', 'touchmove', 'gesturestart', 'dragstart']) {
      stage.addEventListener(type, (event) => event.cancelable && event.preventDefault(), quiet);
    }
  }

  /** Discard the stroke under the finger. */
  abort() {
    if (this.#mode === 'stroke') this.#rest('cancel');
  }

  /** End the gesture: a stroke stays as it is. The fingers that are down do nothing until they are lifted. */
  interrupt() {
    this.#rest('end');
  }

  /** @returns {boolean} Whether a stroke is being drawn. */
  get busy() {
    return this.#mode === 'stroke';
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const { pointerId: id, pointerType: type } = event;
    if (type === 'mouse' && event.button > 1) return;
    // A browser gives out an id twice, or a second primary pointer of a type, only after the first has ended.
    for (const [known, pointer] of [...this.#pointers]) {
      if (known === id || (event.isPrimary && pointer.type === type)) this.#release(known);
    }
    const touch = type === 'touch';
    if (touch && this.#count('pen')) return; // the hand that holds the pen
    if (type === 'pen') this.#startPen(event);
    const first = this.#pointers.size === 0;
    if (first) this.measure();
    const at = this.#position(event);
    try {
      this.stage.setPointerCapture(id);
    } catch {
      // the pointer is gone
    }
    this.#pointers.set(id, { ...at, type });
    if (!first) return this.#secondFinger();
    const resting = touch && event.timeStamp - this.#penSeen < PEN_REST;
    if (event.button === 1 || (this.spaceHeld && !touch)) this.#mode = 'camera';
    else if (resting) this.#mode = 'over';
    else {
      const options = { touch: type !== 'mouse', erase: event.altKey, eraser: (event.buttons & 32) > 0 };
      this.#mode = this.handlers.begin(at, options) ? 'stroke' : 'over';
      this.#strokeId = id;
      this.#began = { time: event.timeStamp, ...at, way: 0 };
    }
  }

  /** @param {string} type @returns {number} How many pointers of a type are down. */
  #count(type) {
    return [...this.#pointers.values()].filter((pointer) => pointer.type === type).length;
  }

  /** A pen comes down: touches before it were the hand's. @param {PointerEvent} event */
  #startPen(event) {
    this.#penSeen = event.timeStamp;
    if (!this.#count('touch')) return;
    this.#rest(this.#isCommitted() ? 'end' : 'cancel');
    for (const [id, { type }] of [...this.#pointers]) type === 'touch' && this.#release(id);
  }

  #secondFinger() {
    if (this.#mode === 'stroke') this.#isCommitted() ? this.handlers.end() : this.handlers.cancel();
    this.#mode = 'camera';
  }

  /** @returns {boolean} Whether the stroke is too long to be the first half of a pinch. */
  #isCommitted() {
    return performance.now() - this.#began.time > COMMITTED.time && this.#began.way > COMMITTED.way;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { pointerId: id, pointerType: type } = event;
    if (type === 'pen') this.#penSeen = event.timeStamp;
    if (!event.buttons) this.#release(id); // it was lifted where the page could not hear it
    const before = this.#pointers.get(id);
    if (!before) {
      if (type === 'mouse') this.handlers.hover(this.#position(event));
      return;
    }
    // The phone is turned: the place of the finger on the photo is another one, and the stage learns it a frame later.
    if (this.#mode !== 'over' && this.#stageSize !== this.#currentSize()) this.interrupt();
    const at = this.#position(event);
    if (this.#mode === 'stroke' && id === this.#strokeId) {
      const parts = event.getCoalescedEvents?.() ?? [];
      const points = parts.length ? parts.map((part) => this.#position(part)) : [at];
      this.#began.way += Math.hypot(at.x - before.x, at.y - before.y);
      this.handlers.move(points);
    } else if (this.#mode === 'camera') {
      this.#camera(id, before, at);
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
   * One of the fingers has moved: zoom and pan so that the photo stays under all of them.
   * @param {number} id
   * @param {Point} before
   * @param {Point} at
   */
  #camera(id, before, at) {
    const others = [...this.#pointers].filter(([finger]) => finger !== id).map(([, pointer]) => pointer);
    if (!others.length) return this.handlers.pan(at.x - before.x, at.y - before.y);
    const [from, to] = [spread([before, ...others]), spread([at, ...others])];
    this.handlers.zoom(to.radius / from.radius, from.middle, to.middle);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const { pointerId: id } = event;
    if (event.pointerType === 'pen') this.#penSeen = event.timeStamp;
    const drawing = this.#mode === 'stroke' && id === this.#strokeId;
    const doubled = drawing && this.#isSecondTap(event) && this.handlers.doubleTap();
    if (doubled) this.#rest('cancel');
    this.#release(id);
  }

  /** The system takes a pointer away, for a call, a palm or a gesture of its own. @param {PointerEvent} event */
  #cancel({ pointerId: id }) {
    const drawing = this.#mode === 'stroke' && id === this.#strokeId;
    if (drawing && this.#began.way < COMMITTED.way) this.#rest('cancel');
    this.#release(id);
  }

  /** A pointer has ended. @param {number} id */
  #release(id) {
    if (!this.#pointers.delete(id)) return;
    const ends = this.#mode === 'stroke' ? id === this.#strokeId : this.#pointers.size < 2;
    if (ends) this.#rest('end'); // the finger that remains after a pinch paints nothing
    if (!this.#pointers.size) this.#mode = 'idle';
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

/**
 * @param {Point[]} points
 * @returns {{middle: Point, radius: number}} Their middle, and their mean distance from it.
 */
function spread(points) {
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value) / values.length;
  const middle = { x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) };
  const radius = mean(points.map(({ x, y }) => Math.hypot(x - middle.x, y - middle.y)));
  return { middle, radius: Math.max(NEAREST, radius) };
}
