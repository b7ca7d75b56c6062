/** The stage: the photo with the mask on it, and the gestures there. It draws at most once per frame. */

import { Cursor } from './cursor.js';
import { Input } from './input.js';
import { Loupe } from './loupe.js';
import { Painter } from './painter.js';
import { areaTool, lineTool, tapTool } from './tools.js';
import { View } from './view.js';

const GLIDE = 180; // ms
const REDUCED_MOTION = matchMedia('(prefers-reduced-motion: reduce)');
const CROSS = 28; // CSS px
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
  #pointer = { x: 0, y: 0 };
  #loupeFrom = Infinity;
  #frame = 0;
  #glide = 0;
  /** @type {Tap[]} */
  #taps = [];
  #previousPicture = '';
  #dirty = false;
  #moved = false;
  #lastResult = /** @type {Op | Point | null} */ (null);

  /**
   * @param {HTMLElement} root
   * @param {Strokes} strokes
   * @param {Size} photo
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
    /** @type {HTMLElement} */ this.brushRing = find('#brush-ring');
    this.tag = /** @type {HTMLElement} */ (document.getElementById('tag'));
    this.view = new View(photo.width, photo.height);
    this.painter = new Painter(find('#mask'), this.view);
    this.loupe = new Loupe(/** @type {any} */ (document.getElementById('loupe')), {
      photo: this.image,
      painter: this.painter,
      view: this.view,
    });
    this.input = new Input(root, this.#handlers());
    this.cursor = new Cursor(this);
    new ResizeObserver(() => this.#resize()).observe(root);
    document.addEventListener('visibilitychange', () => this.redraw()); // iOS may empty a canvas in the background
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
    URL.revokeObjectURL(this.#previousPicture);
    this.#previousPicture = this.image.src;
    if (this.#previousPicture) this.before.src = this.#previousPicture;
    this.picture.classList.toggle('was', Boolean(this.#previousPicture)); // the old picture stays on top …
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
      const way = REDUCED_MOTION.matches ? 1 : Math.min(1, (now - start) / GLIDE);
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

  /** Zoom around the keys' cursor, else the middle. @param {number} factor */
  zoom(factor) {
    const { x, y } = this.cursor.at ?? this.#middle;
    this.view.zoom(factor, x, y);
    this.#settle();
  }

  /** Move the photo. @param {number} dx CSS px @param {number} dy */
  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.#settle();
  }

  #settle() {
    this.view.settle();
    this.#place();
    this.redraw();
  }

  /** Show where the keys paint. @param {Point} at */
  aim(at) {
    this.#showRing(at, true);
  }

  get #middle() {
    return { x: this.view.stageWidth / 2, y: this.view.stageHeight / 2 };
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
    const { x, y, scale } = this.view;
    this.#taps.forEach((tap, index) => {
      this.marks.children[index].setAttribute('transform', `translate(${x + tap.x * scale} ${y + tap.y * scale})`);
    });
  }

  /** Show the brush's size in the middle of the stage. @param {boolean} on */
  preview(on) {
    if (on) this.#showRing(this.cursor.at ?? this.#middle, true, this.size);
    else this.#showRing(this.cursor.at, true);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.root;
    if (!clientWidth || !clientHeight) return;
    if (clientWidth !== this.view.stageWidth || clientHeight !== this.view.stageHeight) this.input.interrupt();
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
    if (performance.now() >= this.#loupeFrom) this.loupe.show(this.#pointer.x, this.#pointer.y, line ? this.size : 0);
    else setTimeout(() => this.#gesture && this.#schedule(), LOUPE_DELAY);
  }

  /**
   * @param {Point | null} at
   * @param {boolean} [always] Also with a tool without a brush, as a cross; a mouse has its own.
   * @param {number} [size] CSS px; 0: a cross.
   */
  #showRing(at, always = false, size = this.tool === 'brush' || this.tool === 'eraser' ? this.size : 0) {
    this.brushRing.hidden = !at || !(size || always) || this.locked;
    if (!at || this.brushRing.hidden) return;
    this.brushRing.classList.toggle('cross', !size);
    const scale = (size || CROSS) / 100; // it is 100 px wide and scaled: that needs no layout
    this.brushRing.style.transform = `translate(${at.x - 50}px, ${at.y - 50}px) scale(${scale})`;
    this.brushRing.style.borderWidth = `${1.5 / scale}px`;
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
        this.#pointer = points[points.length - 1];
        this.#loupeFrom = Math.min(this.#loupeFrom, performance.now());
        if (!this.#touch) this.#showRing(this.#pointer);
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
        const first = this.#lastResult;
        if (first && 'kind' in first) this.strokes.discard(first);
        else if (first) this.events.untapped();
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
      hover: (at) => {
        if (at && !this.input.byKeys) this.cursor.hide();
        const aimed = this.cursor.at;
        this.#showRing(aimed ?? at, aimed !== null);
      },
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
    if (touch) this.cursor.hide();
    this.#pointer = at;
    this.#loupeFrom = performance.now() + LOUPE_DELAY;
    if (touch) this.#showRing(null);
    this.#schedule();
    return true;
  }

  #end() {
    const gesture = this.#gesture;
    if (!gesture) return;
    gesture.frame();
    this.#gesture = null;
    this.loupe.hide();
    const made = (this.#lastResult = gesture.end());
    if (!made) return;
    if (!('kind' in made)) return this.events.tapped(made);
    const dirty = this.#dirty;
    this.events.painted(made);
    const drawn = made.kind === 'brush' || made.kind === 'eraser';
    if (drawn) this.#dirty = dirty; // the line is on the canvas already
  }
}
