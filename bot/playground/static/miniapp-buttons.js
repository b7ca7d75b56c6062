/** The MainButton and SecondaryButton below a Mini App. */

import { buttonById, byId, h } from './dom.js';
import { safeColour } from './theme.js';

/**
 * @typedef {{is_visible?: boolean, is_active?: boolean, text?: string, color?: string, text_color?: string,
 *   is_progress_visible?: boolean, has_shine_effect?: boolean, position?: string}} Look
 */

/** Create the buttons. @param {(event: 'main_button_pressed' | 'secondary_button_pressed') => void} postEvent */
export function createBottomButtons(postEvent) {
  const bar = byId('miniapp-buttons');
  const buttons = { main: buttonById('miniapp-main'), secondary: buttonById('miniapp-secondary') };
  buttons.main.addEventListener('click', () => postEvent('main_button_pressed'));
  buttons.secondary.addEventListener('click', () => postEvent('secondary_button_pressed'));

  const drawBar = () => (bar.hidden = buttons.main.hidden && buttons.secondary.hidden);

  return {
    /**
     * @param {'main' | 'secondary'} which
     * @param {Look} look missing fields stay unchanged
     */
    setUp(which, look) {
      const button = buttons[which];
      if (look.is_visible !== undefined) button.hidden = !look.is_visible;
      if (look.is_active !== undefined) button.disabled = !look.is_active;
      if (look.text !== undefined) button.replaceChildren(h('span', {}, String(look.text)));
      if (look.color !== undefined) button.style.backgroundColor = safeColour(look.color);
      if (look.text_color !== undefined) button.style.color = safeColour(look.text_color);
      if (look.is_progress_visible !== undefined) {
        button.classList.toggle('busy-button', Boolean(look.is_progress_visible));
        button.setAttribute('aria-busy', String(Boolean(look.is_progress_visible)));
      }
      if (look.has_shine_effect !== undefined) button.classList.toggle('shines', Boolean(look.has_shine_effect));
      if (which === 'secondary' && look.position) bar.dataset.position = look.position;
      drawBar();
    },
    /** Hide both and drop their looks. */
    reset() {
      for (const button of Object.values(buttons)) {
        button.hidden = true;
        button.disabled = false;
        button.className = '';
        button.removeAttribute('style');
        button.removeAttribute('aria-busy');
        button.replaceChildren();
      }
      bar.dataset.position = 'left';
      drawBar();
    },
  };
}
