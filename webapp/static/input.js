/**
 * Pointer and wheel events on the stage, turned into gestures. One finger paints; two fingers zoom and pan. Pointers are
 * captured, so a stroke may leave the stage and come back (docs/telegram.md#touch-input).
 */

const COMMITTED = { time: 400, way: 24 }; // ms, CSS px: a second finger ends a stroke longer than both, else cancels it
const TAP = { time: 220, way: 8 };
const DOUBLE = { time: 280, way: 18 };
const WHEEL = 0.0018;
const PEN_REST = 1500; // ms after a pen event, touches come from the resting hand

export class Input {
  /** @type {Map<number, Point>} */
  #fingers = new Map();
  /** @type {'idle' | 'stroke' | 'camera' | 'over'} */
  #mode = 'idle';
  #strokeId = -1;
  #began = { time: 0, x: 0, y: 0, way: 0 };
  #lastTap = { time: -Infinity, x: 0, y: 0 };
  #penSeen = -Infinity;
  #box = { left: 0, top: 0 };
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
    stage.addEventListener('pointerleave', () => handlers.hover(null));
    stage.addEventListener('wheel', (event) => this.#wheel(event), quiet);
    for (const type of ['contextmenu', 'touchstart', 'touchmove', 'gesturestart', 'dragstart']) {
      stage.addEventListener(type, (event) => event.cancelable && event.preventDefault(), quiet);
    }
  }

  /** Discard the stroke under the finger. */
  abort() {
    if (this.#mode === 'stroke') this.handlers.cancel();
    if (this.#mode !== 'idle') this.#mode = 'over';
  }

  /** @returns {boolean} Whether a stroke is being drawn. */
  get busy() {
    return this.#mode === 'stroke';
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const idle = this.#fingers.size === 0;
    if (idle) this.measure();
    const at = this.#at(event);
    const touch = event.pointerType === 'touch';
    if (event.pointerType === 'pen') this.#penSeen = event.timeStamp;
    if (event.pointerType === 'mouse' && event.button > 1) return;
    try {
      this.stage.setPointerCapture(event.pointerId);
    } catch {
      // the pointer is gone
    }
    this.#fingers.set(event.pointerId, at);
    if (!idle) return this.#secondFinger();
    const resting = touch && event.timeStamp - this.#penSeen < PEN_REST;
    if (event.button === 1 || (this.spaceHeld && !touch)) this.#mode = 'camera';
    else if (resting) this.#mode = 'over';
    else {
      const options = { touch: event.pointerType !== 'mouse', erase: event.altKey, eraser: (event.buttons & 32) > 0 };
      this.#mode = this.handlers.begin(at, options) ? 'stroke' : 'over';
      this.#strokeId = event.pointerId;
      this.#began = { time: event.timeStamp, ...at, way: 0 };
    }
  }

  #secondFinger() {
    if (this.#mode === 'stroke') {
      const long = performance.now() - this.#began.time > COMMITTED.time && this.#began.way > COMMITTED.way;
      long ? this.handlers.end() : this.handlers.cancel();
    }
    this.#mode = 'camera';
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === 'mouse') this.#hover(event);
      return;
    }
    const at = this.#at(event);
    if (this.#mode === 'stroke' && event.pointerId === this.#strokeId) {
      const parts = event.getCoalescedEvents?.() ?? [];
      const points = parts.length ? parts.map((part) => this.#at(part)) : [at];
      this.#began.way += Math.hypot(at.x - before.x, at.y - before.y);
      this.handlers.move(points);
    } else if (this.#mode === 'camera') {
      this.#camera(event.pointerId, before, at);
    }
    this.#fingers.set(event.pointerId, at);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    this.handlers.hover(this.#at(event));
  }

  /** Read where the stage is: it may have moved. */
  measure() {
    this.#box = this.stage.getBoundingClientRect();
  }

  /**
   * One of two fingers has moved: zoom and pan so that the photo stays under both.
   * @param {number} id
   * @param {Point} before
   * @param {Point} at
   */
  #camera(id, before, at) {
    const other = [...this.#fingers].find(([finger]) => finger !== id)?.[1];
    if (!other) return this.handlers.pan(at.x - before.x, at.y - before.y);
    const middle = (/** @type {Point} */ point) => ({ x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
    const apart = (/** @type {Point} */ point) => Math.max(8, Math.hypot(point.x - other.x, point.y - other.y));
    this.handlers.zoom(apart(at) / apart(before), middle(before), middle(at));
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} cancelled By the system, for a call or a system gesture.
   */
  #up(event, cancelled) {
    if (!this.#fingers.delete(event.pointerId)) return;
    if (this.#mode === 'stroke' && event.pointerId === this.#strokeId) {
      const doubled = !cancelled && this.#isSecondTap(event) && this.handlers.doubleTap();
      if (doubled || (cancelled && this.#began.way < COMMITTED.way)) this.handlers.cancel();
      else this.handlers.end();
      this.#mode = 'over';
    } else if (this.#mode === 'camera') {
      this.handlers.settle();
      this.#mode = 'over'; // the finger that remains after a pinch paints nothing
    }
    if (!this.#fingers.size) this.#mode = 'idle';
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
    const at = this.#at(event);
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
  #at(event) {
    return { x: event.clientX - this.#box.left, y: event.clientY - this.#box.top };
  }
}
