/** The dots that show where the person tapped. */

export class TapDots {
  /** @type {Tap[]} */
  #taps = [];

  /** @param {SVGGElement} group */
  constructor(group) {
    this.group = group;
  }

  /**
   * Show these taps instead of the earlier ones.
   * @param {Tap[]} taps
   * @param {import('./view.js').View} view
   */
  show(taps, view) {
    this.#taps = taps;
    this.group.replaceChildren(...taps.map(({ keep }) => {
      const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
      dot.setAttribute('r', '6');
      dot.classList.toggle('away', !keep);
      return dot;
    }));
    this.place(view);
  }

  /** Move the dots with the photo. @param {import('./view.js').View} view */
  place(view) {
    this.#taps.forEach(({ x, y }, index) => {
      const [left, top] = [view.x + x * view.scale, view.y + y * view.scale];
      this.group.children[index].setAttribute('transform', `translate(${left} ${top})`);
    });
  }
}
