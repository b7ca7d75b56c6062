/**
 * Fingers, pens, mice and wheels on the stage. One finger paints; a second one means pinch and pan. A pointer stays
 * captured, so a stroke that leaves the picture, or the stage, goes on where it comes back.
 */

const BEGUN = { time: 400, way: 24 }; // ms, CSS px: a stroke longer than both is kept when a second finger comes
const TAP = { time: 220, way: 8 };
const DOUBLE = { time: 280, way: 18 };
const WHEEL = 0.0018;
const PEN_REST = 1500; // ms after a pen, touches are a resting hand

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
   * @param {Hands} hands
   */
  constructor(stage, hands) {
    this.stage = stage;
    this.hands = hands;
    const quiet = { passive: false };
    stage.addEventListener('pointerdown', (event) => this.#down(event));
    stage.addEventListener('pointermove', (event) => this.#move(event));
    stage.addEventListener('pointerup', (event) => this.#up(event, false));
    stage.addEventListener('pointercancel', (event) => this.#up(event, true));
    stage.addEventListener('pointerleave', () => hands.hover(null));
    stage.addEventListener('wheel', (event) => this.#wheel(event), quiet);
    for (const type of ['contextmenu', 'touchstart', 'touchmove', 'gesturestart', 'dragstart']) {
      stage.addEventListener(type, (event) => event.cancelable && event.preventDefault(), quiet);
    }
  }

  /** Escape, or work has begun: the stroke under the finger is dropped. */
  abort() {
    if (this.#mode === 'stroke') this.hands.cancel();
    if (this.#mode !== 'idle') this.#mode = 'over';
  }

  /** @returns {boolean} */
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
      // the pointer has gone already
    }
    this.#fingers.set(event.pointerId, at);
    if (!idle) return this.#second();
    const resting = touch && event.timeStamp - this.#penSeen < PEN_REST;
    if (event.button === 1 || (this.spaceHeld && !touch)) this.#mode = 'camera';
    else if (resting) this.#mode = 'over';
    else {
      const how = { touch: event.pointerType !== 'mouse', away: event.altKey, eraser: (event.buttons & 32) > 0 };
      this.#mode = this.hands.begin(at, how) ? 'stroke' : 'over';
      this.#strokeId = event.pointerId;
      this.#began = { time: event.timeStamp, ...at, way: 0 };
    }
  }

  #second() {
    if (this.#mode === 'stroke') {
      const long = performance.now() - this.#began.time > BEGUN.time && this.#began.way > BEGUN.way;
      long ? this.hands.end() : this.hands.cancel();
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
      this.hands.move(points);
    } else if (this.#mode === 'camera') {
      this.#camera(event.pointerId, before, at);
    }
    this.#fingers.set(event.pointerId, at);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    this.hands.hover(this.#at(event));
  }

  /** The stage has moved or has another size. */
  measure() {
    this.#box = this.stage.getBoundingClientRect();
  }

  /**
   * One finger of two has moved: what was between them stays between them.
   * @param {number} id
   * @param {Point} before
   * @param {Point} at
   */
  #camera(id, before, at) {
    const other = [...this.#fingers].find(([finger]) => finger !== id)?.[1];
    if (!other) return this.hands.pan(at.x - before.x, at.y - before.y);
    const middle = (/** @type {Point} */ point) => ({ x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
    const apart = (/** @type {Point} */ point) => Math.max(8, Math.hypot(point.x - other.x, point.y - other.y));
    this.hands.zoom(apart(at) / apart(before), middle(before), middle(at));
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} cancelled By the system: a call comes in, a gesture of its own.
   */
  #up(event, cancelled) {
    if (!this.#fingers.delete(event.pointerId)) return;
    if (this.#mode === 'stroke' && event.pointerId === this.#strokeId) {
      const doubled = !cancelled && this.#isSecondTap(event) && this.hands.doubleTap();
      if (doubled || (cancelled && this.#began.way < BEGUN.way)) this.hands.cancel();
      else this.hands.end();
      this.#mode = 'over';
    } else if (this.#mode === 'camera') {
      this.hands.settle();
      this.#mode = 'over'; // the finger that is left of a pinch paints nothing
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
      this.hands.pan(-across * unit, event.shiftKey ? 0 : -event.deltaY * unit);
    } else {
      const speed = event.ctrlKey ? WHEEL * 5 : WHEEL; // a trackpad's pinch comes as a wheel with ctrl, in small steps
      this.hands.zoom(Math.exp(-event.deltaY * unit * speed), at, at);
    }
    clearTimeout(this.#wheelRest);
    this.#wheelRest = setTimeout(() => this.hands.settle(), 160);
  }

  /** @param {MouseEvent} event */
  #at(event) {
    return { x: event.clientX - this.#box.left, y: event.clientY - this.#box.top };
  }
}
