/** The mask on the screen: a canvas as large as the stage, opaque ink under the canvas's own opacity. */

import { drawLine, drawOps } from './drawing.js';

const MAX_SIDE = 2048; // px
const MAX_DENSITY = 2; // px for a CSS px: a third is not seen under a finger, and is half of the memory and time
const FAST = 7; // ms; a redraw quicker than this is made anew in every frame of a pinch
const INK = '#ff2e63';

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import('./view.js').View} view
   */
  constructor(canvas, view) {
    this.canvas = canvas;
    this.view = view;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.density = 1;
    this.cost = 0;
    this.drawn = { scale: 1, x: 0, y: 0 };
    this.keeps = false; // the painted stays: ink lies on all the rest
  }

  resize() {
    const { stageWidth, stageHeight } = this.view;
    this.density = Math.min(devicePixelRatio || 1, MAX_DENSITY, MAX_SIDE / Math.max(stageWidth, stageHeight));
    this.canvas.width = Math.round(stageWidth * this.density);
    this.canvas.height = Math.round(stageHeight * this.density);
  }

  /** @param {Op[]} ops */
  redraw(ops) {
    const start = performance.now();
    const { view } = this;
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.drawn = { scale: view.scale, x: view.x, y: view.y };
    this.#aim();
    const [leftTop, rightBottom] = [view.toPhoto(0, 0), view.toPhoto(view.stageWidth, view.stageHeight)];
    const seen = { left: leftTop.x, top: leftTop.y, right: rightBottom.x, bottom: rightBottom.y };
    drawOps(this.context, this.keeps ? [...ops, { kind: 'invert' }] : ops, view, seen);
    this.canvas.style.transform = '';
    this.cost = performance.now() - start;
  }

  /** While the view moves: take the drawn mask along, or draw it anew where that is quick. */
  follow(/** @type {Op[]} */ ops) {
    if (this.cost < FAST) return this.redraw(ops);
    const ratio = this.view.scale / this.drawn.scale;
    const [x, y] = [this.view.x - this.drawn.x * ratio, this.view.y - this.drawn.y * ratio];
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${ratio})`;
  }

  /**
   * Add what is new of a line under the finger.
   * @param {Line} line
   * @param {number} from Number of the first point whose curve is not final yet.
   */
  extend(line, from) {
    this.context.save();
    this.#aim();
    this.context.beginPath();
    this.context.rect(0, 0, this.view.width, this.view.height);
    this.context.clip();
    const kind = (line.kind === 'eraser') === this.keeps ? 'brush' : 'eraser';
    drawLine(this.context, { ...line, kind }, from);
    this.context.restore();
  }

  #aim() {
    const { density, drawn } = this;
    this.context.setTransform(
      density * drawn.scale,
      0,
      0,
      density * drawn.scale,
      density * drawn.x,
      density * drawn.y,
    );
    this.context.fillStyle = this.context.strokeStyle = INK;
  }
}
