/**
 * Says in words that the browser is too old for the page, or that the page did not load. For every browser: no syntax or
 * API newer than ECMAScript 5. By DOMContentLoaded, main.js has either run or will not run.
 */
// deno-lint-ignore-file no-var
(function () {
  'use strict';
  var TEXTS = {
    en: {
      old: 'This device’s browser is too old for the canvas.',
      other:
        'Paint in Telegram instead: open your photo in Telegram’s photo editor, paint over what should go in one ' +
        'bright colour, and send it to the bot as a reply to the original photo.',
      newer: 'After an update of Android System WebView or iOS, the canvas works too.',
      lost: 'The page did not load. Please check the connection and try again.',
      again: 'Try again',
    },
    zh: {
      old: '这台设备的浏览器太旧，无法打开画布。',
      other:
        '可以改在 Telegram 里涂：用 Telegram 的图片编辑器打开照片，用一种鲜艳的颜色涂满要去掉的地方，再以回复原照片的方式发给机器人。',
      newer: '更新 Android System WebView 或 iOS 之后，画布也可以用。',
      lost: '页面没有加载成功，请检查网络后重试。',
      again: '再试一次',
    },
  };
  var lost = false;

  /** The language of Telegram's user, who is named in the address; else the browser's. */
  function language() {
    var data = /tgWebAppData=([^&]*)/.exec(location.hash);
    var code = data && /"language_code":"([^"]*)"/.exec(twice(data[1]));
    return ((code && code[1]) || navigator.language || '').toLowerCase().indexOf('zh') === 0 ? 'zh' : 'en';
  }

  /** @param {string} text A query in a query: it is encoded twice. */
  function twice(text) {
    try {
      return decodeURIComponent(decodeURIComponent(text));
    } catch (_) {
      return '';
    }
  }

  /** @param {Event} event */
  function failed(event) {
    var script = /** @type {any} */ (event.target);
    if (script && script.type === 'module') lost = true;
  }

  function tell() {
    if (document.documentElement.getAttribute('data-started')) return;
    var code = language();
    var words = /** @type {any} */ (TEXTS)[code];
    var notice = /** @type {HTMLElement} */ (document.getElementById('notice'));
    var first = notice.getElementsByTagName('p')[0];
    var again = notice.getElementsByTagName('button')[0];
    document.documentElement.lang = code;
    notice.className = 'still';
    first.textContent = lost ? words.lost : words.old;
    if (lost) {
      again.textContent = words.again;
      again.hidden = false;
      again.removeAttribute('hidden');
      again.onclick = function () {
        location.reload();
      };
      return;
    }
    [words.other, words.newer].forEach(function (text) {
      var more = document.createElement('p');
      more.textContent = text;
      notice.insertBefore(more, again);
    });
  }

  window.addEventListener('error', failed, true);
  document.addEventListener('DOMContentLoaded', tell);
})();
