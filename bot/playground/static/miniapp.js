/**
 * The panel that shows a Mini App: an iframe, a header and Telegram's buttons.
 *
 * App and panel exchange JSON strings {eventType, eventData} by postMessage, as in Telegram's web client
 * (https://core.telegram.org/api/web-events).
 */

import { buttonById, byId, dialogById, h, has } from './dom.js';
import { ask } from './dialogs.js';
import { safeLink } from './format.js';
import { createLayer } from './layer.js';
import { createBottomButtons } from './miniapp-buttons.js';
import { answerStorage } from './miniapp-storage.js';
import { t } from './strings.js';
import { onThemeChange, safeColour, textOn, themeParams } from './theme.js';

const VERSION = '9.1'; // the Bot API version that the requests below cover
const FLOATING = 56; // px: the height of the buttons over an app in full screen

/** Create the panel. */
export function createMiniApp() {
  const dialog = dialogById('miniapp');
  const stage = byId('miniapp-stage');
  const header = byId('miniapp-header');
  const back = buttonById('miniapp-back');
  const layer = createLayer(requestClose);
  const bottom = createBottomButtons((event) => postEvent(event));
  /** @type {HTMLIFrameElement | null} */
  let frame = null;
  let confirmsClosing = false;
  let fullscreen = false;

  /**
   * @param {string} eventType
   * @param {object} [eventData]
   */
  function postEvent(eventType, eventData = {}) {
    // The app may have another origin; the events are not secret.
    frame?.contentWindow?.postMessage(JSON.stringify({ eventType, eventData }), '*');
  }

  const postTheme = () => postEvent('theme_changed', { theme_params: themeParams() });
  const postViewport = () =>
    postEvent('viewport_changed', {
      width: stage.clientWidth,
      height: stage.clientHeight,
      is_state_stable: true,
      is_expanded: true,
    });
  const postSafeArea = () => {
    const root = getComputedStyle(dialog);
    const px = (/** @type {string} */ side) => Number.parseFloat(root.getPropertyValue(`padding-${side}`)) || 0;
    const covered = { top: 0, bottom: 0, left: 0, right: 0 };
    // Outside full screen the header keeps clear of notches; in full screen the app is under them.
    postEvent('safe_area_changed', fullscreen ? { ...covered, top: px('top') } : covered);
  };
  const postContentArea = () =>
    postEvent('content_safe_area_changed', { top: fullscreen ? FLOATING : 0, bottom: 0, left: 0, right: 0 });

  /** @param {boolean} wanted */
  function setFullscreen(wanted) {
    if (wanted === fullscreen) {
      if (wanted) postEvent('fullscreen_failed', { error: 'ALREADY_FULLSCREEN' });
      return;
    }
    fullscreen = wanted;
    dialog.classList.toggle('fullscreen', wanted);
    postEvent('fullscreen_changed', { is_fullscreen: wanted });
    postSafeArea();
    postContentArea();
    postViewport();
  }

  /** Show a popup. @param {{title?: unknown, message?: unknown, buttons?: unknown}} data */
  async function popup(data) {
    const kinds = { ok: t('ok'), close: t('close'), cancel: t('cancel') };
    const given = Array.isArray(data.buttons) && data.buttons.length ? data.buttons : [{ id: '', type: 'close' }];
    const buttons = given.slice(0, 3).map((button) => ({
      id: String(button.id ?? ''),
      text: kinds[/** @type {keyof typeof kinds} */ (button.type)] ?? String(button.text ?? t('ok')),
      kind: button.type === 'destructive' ? 'danger' : '',
    }));
    const id = await ask({ title: String(data.title ?? ''), text: String(data.message ?? ''), buttons });
    postEvent('popup_closed', id === null ? {} : { button_id: id });
  }

  /**
   * @param {{color_key?: unknown, color?: unknown}} data
   * @param {HTMLElement} where
   */
  function setColour(data, where) {
    const named = data.color_key === 'bg_color' || data.color_key === 'secondary_bg_color'
      ? data.color_key
      : 'bg_color';
    const colour = safeColour(data.color) || themeParams()[named];
    where.style.backgroundColor = colour;
    if (where === header) where.style.color = safeColour(colour) ? textOn(colour) : '';
  }

  /** @type {Record<string, (data: any) => void>} */
  const REQUESTS = {
    iframe_ready: () => postEvent('set_custom_style', {}),
    web_app_ready: () => byId('miniapp-loading').setAttribute('hidden', ''),
    web_app_expand: postViewport,
    web_app_close: close,
    web_app_request_theme: postTheme,
    web_app_request_viewport: postViewport,
    web_app_request_safe_area: postSafeArea,
    web_app_request_content_safe_area: postContentArea,
    web_app_setup_main_button: (data) => bottom.setUp('main', data),
    web_app_setup_secondary_button: (data) => bottom.setUp('secondary', data),
    web_app_setup_back_button: (data) => (back.hidden = !data.is_visible),
    web_app_setup_closing_behavior: (data) => (confirmsClosing = Boolean(data.need_confirmation)),
    web_app_set_header_color: (data) => setColour(data, header),
    web_app_set_background_color: (data) => setColour(data, stage),
    web_app_set_bottom_bar_color: (data) => setColour(data, byId('miniapp-buttons')),
    web_app_request_fullscreen: () => setFullscreen(true),
    web_app_exit_fullscreen: () => setFullscreen(false),
    web_app_open_popup: popup,
    web_app_open_link: (data) => openLink(String(data.url ?? '')),
    web_app_open_tg_link: (data) => openLink(`https://t.me${data.path_full ?? ''}`),
    web_app_trigger_haptic_feedback: (data) => navigator.vibrate?.(data.type === 'notification' ? [20, 60, 20] : 10),
    web_app_read_text_from_clipboard: (data) =>
      postEvent('clipboard_text_received', { req_id: data.req_id, data: null }),
  };

  /** @param {string} address */
  function openLink(address) {
    const link = safeLink(address);
    if (link) window.open(link, '_blank', 'noopener,noreferrer');
  }

  /**
   * Add the theme and version to the app's address, where it has none.
   * @param {string} url
   */
  function withLaunchParameters(url) {
    const [path, hash = ''] = url.split('#');
    const given = new URLSearchParams(hash);
    const own = {
      tgWebAppVersion: VERSION,
      tgWebAppPlatform: 'weba',
      tgWebAppThemeParams: JSON.stringify(themeParams()),
    };
    const added = Object.entries(own).filter(([name]) => !given.has(name));
    return `${path}#${
      [hash, ...added.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)].filter(Boolean).join('&')
    }`;
  }

  /**
   * @param {string} url with the signed data in its fragment
   * @param {string} title
   */
  function open(url, title) {
    if (dialog.open) return;
    byId('miniapp-title').textContent = title;
    byId('miniapp-loading').hidden = false;
    back.hidden = true;
    confirmsClosing = false;
    fullscreen = false;
    dialog.classList.remove('fullscreen');
    for (const part of [header, stage, byId('miniapp-buttons')]) part.removeAttribute('style');
    bottom.reset();
    frame = h('iframe', {
      src: withLaunchParameters(url),
      title,
      'data-testid': 'miniapp-frame',
      allow: 'fullscreen; clipboard-write',
    });
    frame.addEventListener('load', () => (byId('miniapp-loading').hidden = true));
    stage.append(frame);
    dialog.showModal();
    layer.opened();
    frame.focus();
  }

  function close() {
    if (dialog.open) dialog.close();
  }

  async function requestClose() {
    if (confirmsClosing) {
      layer.reopen();
      const buttons = [{ id: 'stay', text: t('cancel') }, { id: 'leave', text: t('close_anyway'), kind: 'danger' }];
      if ((await ask({ text: t('closing_question'), buttons })) !== 'leave') return;
    }
    close();
  }

  dialog.addEventListener('close', () => {
    layer.closed();
    frame?.remove();
    frame = null;
  });
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    requestClose();
  });
  // Chromium closes a dialog on a second Escape even if `cancel` is prevented, so the key is handled here.
  dialog.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    requestClose();
  });
  buttonById('miniapp-close').addEventListener('click', requestClose);
  back.addEventListener('click', () => postEvent('back_button_pressed'));
  new ResizeObserver(() => dialog.open && postViewport()).observe(stage);
  onThemeChange(postTheme);
  addEventListener('message', (event) => {
    if (!frame || event.source !== frame.contentWindow || typeof event.data !== 'string') return;
    let request;
    try {
      request = JSON.parse(event.data);
    } catch {
      return; // other software, such as extensions, posts messages too
    }
    const data = request?.eventData && typeof request.eventData === 'object' ? request.eventData : {};
    if (typeof request?.eventType !== 'string') return;
    if (has(REQUESTS, request.eventType)) REQUESTS[request.eventType](data);
    else answerStorage(request.eventType, data, postEvent);
  });

  return { open };
}
