/** The stage: the photo with the mask on it, and the gestures there. It draws at most once per frame. */

import { Input } from './input.js';
import { Loupe } from './loupe.js';
import { Painter } from './painter.js';
import { areaTool, lineTool, tapTool } from './tools.js';
import { View } from './view.js';

const GLIDE = 180; // ms
const STILL = matchMedia('(prefers-reduced-motion: reduce)');
const LOUPE_DELAY = 120; // ms: a short dab needs no loupe

export class Stage {
  /** @type {ToolName} */
  tool = 'brush';
  size = 36;
  locked = false;
  comparing = false;
  /** @type {Tool | null} */
  #gesture = null;
  #touch = false;
  /** @type {Point} */
  #at = { x: 0, y: 0 };
  #loupeFrom = Infinity;
  #frame = 0;
  /** @type {Tap[]} */
  #taps = [];
  #glide = 0;
  #old = '';
  #dirty = false;
  #moved = false;
  #last = /** @type {'op' | 'tap' | null} */ (null);

  /**
   * @param {HTMLElement} root
   * @param {import('./strokes.js').Strokes} strokes
   * @param {{width: number, height: number}} photo
   * @param {StageEvents} events
   */
  constructor(root, strokes, photo, events) {
    const find = (/** @type {string} */ name) => /** @type {any} */ (root.querySelector(name));
    this.root = root;
    this.strokes = strokes;
    this.events = events;
    /** @type {HTMLElement} */ this.picture = find('#picture');
    /** @type {HTMLImageElement} */ this.image = find('#image');
    /** @type {HTMLImageElement} */ this.before = find('#before');
    /** @type {SVGPolygonElement} */ this.outline = find('#outline polygon');
    /** @type {SVGGElement} */ this.marks = find('#outline g');
    /** @type {HTMLElement} */ this.ring = find('#ring');
    this.tag = /** @type {HTMLElement} */ (document.getElementById('tag'));
    this.view = new View(photo.width, photo.height);
    this.painter = new Painter(find('#mask'), this.view);
    this.loupe = new Loupe(/** @type {any} */ (document.getElementById('loupe')), {
      photo: this.image,
      painter: this.painter,
      view: this.view,
    });
    this.input = new Input(root, this.#handlers());
    new ResizeObserver(() => this.#resize()).observe(root);
    this.#resize();
  }

  /** Redraw the mask in the next frame. */
  redraw() {
    this.#dirty = true;
    this.#schedule();
  }

  /** Show another picture to paint on, as soon as it is decoded. @param {Blob} blob */
  async show(blob) {
    const url = URL.createObjectURL(blob);
    const next = new Image();
    next.src = url;
    await next.decode().catch(() => {});
    URL.revokeObjectURL(this.#old);
    this.#old = this.image.src;
    if (this.#old) this.before.src = this.#old;
    this.picture.classList.toggle('was', Boolean(this.#old)); // the old picture stays on top …
    this.image.src = url;
    await this.image.decode().catch(() => {});
    this.picture.classList.add('ready');
    this.picture.classList.remove('was'); // … and fades out
  }

  /**
   * Show another picture over the stage.
   * @param {string | null} url Null ends it.
   * @param {string} [name] Its caption.
   * @param {boolean} [untilTouched] Whether a touch of the stage ends it.
   */
  compare(url, name = '', untilTouched = false) {
    if (url) this.before.src = url;
    if (url) this.tag.textContent = name;
    this.comparing = untilTouched;
    this.root.classList.toggle('comparing', url !== null);
  }

  /** Zoom out, animated, to the whole photo. */
  fit() {
    const { scale, x, y } = this.view;
    this.view.fit();
    const { scale: toScale, x: toX, y: toY } = this.view;
    const start = performance.now();
    cancelAnimationFrame(this.#glide);
    const step = (/** @type {number} */ now) => {
      const way = STILL.matches ? 1 : Math.min(1, (now - start) / GLIDE);
      const eased = 1 - (1 - way) ** 3;
      const between = (/** @type {number} */ from, /** @type {number} */ to) => from + (to - from) * eased;
      Object.assign(this.view, { scale: between(scale, toScale), x: between(x, toX), y: between(y, toY) });
      this.#place();
      if (way < 1) this.painter.follow(this.strokes.visible());
      else this.redraw();
      this.#glide = way < 1 ? requestAnimationFrame(step) : 0;
    };
    step(start);
  }

  /** Zoom around the middle. @param {number} factor */
  zoom(factor) {
    this.view.zoom(factor, this.view.stageWidth / 2, this.view.stageHeight / 2);
    this.view.settle();
    this.#place();
    this.redraw();
  }

  /** Show taps as dots. @param {Tap[]} taps */
  mark(taps) {
    this.#taps = taps;
    this.marks.replaceChildren(...taps.map(({ keep }) => {
      const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
      dot.setAttribute('r', '6');
      dot.classList.toggle('away', !keep);
      return dot;
    }));
    this.#placeMarks();
  }

  #placeMarks() {
    this.#taps.forEach(({ x, y }, index) => {
      const { view } = this;
      const dot = this.marks.children[index];
      dot.setAttribute('transform', `translate(${view.x + x * view.scale} ${view.y + y * view.scale})`);
    });
  }

  /** Show the brush's size in the middle of the stage. */
  preview() {
    this.#ring({ x: this.view.stageWidth / 2, y: this.view.stageHeight / 2 }, true);
  }

  /** Hide it again. */
  endPreview() {
    this.#ring(null);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.root;
    if (!clientWidth || !clientHeight) return;
    this.input.measure();
    this.view.resize(clientWidth, clientHeight);
    this.painter.resize();
    this.picture.style.width = `${this.view.width * this.view.fitScale}px`;
    this.picture.style.height = `${this.view.height * this.view.fitScale}px`;
    this.#place();
    this.painter.redraw(this.strokes.visible());
    this.events.viewed();
  }

  #place() {
    const { x, y, scale, fitScale } = this.view;
    this.#placeMarks();
    this.picture.style.transform = `translate(${x}px, ${y}px) scale(${scale / fitScale})`;
    this.events.viewed();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    if (this.#moved) {
      this.#place();
      this.painter.follow(this.strokes.visible());
      this.#moved = false;
    }
    if (this.#dirty) this.painter.redraw(this.strokes.visible());
    this.#dirty = false;
    if (!this.#gesture) return;
    this.#gesture.frame();
    if (!this.#touch) return;
    const line = this.tool === 'brush' || this.tool === 'eraser';
    if (performance.now() >= this.#loupeFrom) this.loupe.show(this.#at.x, this.#at.y, line ? this.size : 0);
    else setTimeout(() => this.#gesture && this.#schedule(), LOUPE_DELAY);
  }

  /**
   * @param {Point | null} at
   * @param {boolean} [middle]
   */
  #ring(at, middle = false) {
    const round = this.tool === 'brush' || this.tool === 'eraser' || middle;
    this.ring.hidden = !at || !round || this.locked;
    if (!at || this.ring.hidden) return;
    const scale = this.size / 100; // the ring is 100 px wide and scaled: that needs no layout
    this.ring.style.transform = `translate(${at.x - 50}px, ${at.y - 50}px) scale(${scale})`;
    this.ring.style.borderWidth = `${1.5 / scale}px`;
  }

  /** @returns {GestureHandlers} */
  #handlers() {
    const camera = () => {
      cancelAnimationFrame(this.#glide);
      this.#glide = 0;
      this.root.classList.add('moving');
      this.#moved = true;
      this.#schedule();
    };
    return {
      begin: (at, options) => this.#begin(at, options),
      move: (points) => {
        this.#gesture?.move(points);
        this.#at = points[points.length - 1];
        this.#loupeFrom = Math.min(this.#loupeFrom, performance.now());
        if (!this.#touch) this.#ring(this.#at);
        this.#schedule();
      },
      end: () => this.#end(),
      cancel: () => {
        this.#gesture?.end();
        this.#gesture = null;
        this.loupe.hide();
        this.redraw();
      },
      doubleTap: () => {
        if (this.view.fitted) return false;
        if (this.#last === 'op') this.strokes.discardLast();
        if (this.#last === 'tap') this.events.untapped();
        this.fit();
        return true;
      },
      zoom: (factor, from, to) => {
        this.view.zoom(factor, from.x, from.y, to.x, to.y);
        camera();
      },
      pan: (dx, dy) => {
        this.view.pan(dx, dy);
        camera();
      },
      settle: () => {
        this.view.settle();
        this.root.classList.remove('moving');
        this.#moved = true;
        this.redraw();
      },
      hover: (at) => this.#ring(at),
    };
  }

  /**
   * @param {Point} at
   * @param {StrokeOptions} options
   */
  #begin(at, { touch, erase, eraser }) {
    if (this.locked || this.#glide) return false;
    if (this.comparing) {
      this.compare(null);
      this.events.touched();
      return false;
    }
    const { tool, view } = this;
    if (tool === 'select') this.#gesture = tapTool(at, view);
    else if (tool === 'lasso' || tool === 'rect') {
      this.#gesture = areaTool(tool, at, erase || eraser, view, this.outline);
    } else {
      const kind = eraser || erase ? 'eraser' : tool;
      this.#gesture = lineTool(kind, at, this.size, view, this.painter);
    }
    this.#touch = touch;
    this.#at = at;
    this.#loupeFrom = performance.now() + LOUPE_DELAY;
    if (touch) this.#ring(null);
    this.#schedule();
    return true;
  }

  #end() {
    const gesture = this.#gesture;
    if (!gesture) return;
    gesture.frame();
    this.#gesture = null;
    this.loupe.hide();
    const made = gesture.end();
    this.#last = made ? ('kind' in made ? 'op' : 'tap') : null;
    if (!made) return;
    if (!('kind' in made)) return this.events.tapped(made);
    const dirty = this.#dirty;
    this.events.painted(made);
    const drawn = made.kind === 'brush' || made.kind === 'eraser';
    if (drawn) this.#dirty = dirty; // the line is on the canvas already
  }
}
