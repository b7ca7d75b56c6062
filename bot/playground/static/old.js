/** Says in words that the browser is too old for the page. For every browser: nothing newer than ECMAScript 5. */
// deno-lint-ignore-file no-var
(function () {
  'use strict';
  document.addEventListener('DOMContentLoaded', function () {
    if (document.documentElement.getAttribute('data-started')) return;
    var chinese = (navigator.language || '').toLowerCase().indexOf('zh') === 0;
    var words = document.createElement('p');
    words.className = 'too-old';
    words.textContent = chinese
      ? '演示页没有打开：浏览器太旧，或页面没有加载完整。请更新浏览器，或用 Chrome 90、Safari 15、Firefox 140 以上版本。'
      : 'The playground did not open: the browser is too old, or the page did not load. Please reload it, or use Chrome 90, ' +
        'Safari 15, Firefox 140 or later.';
    document.body.insertBefore(words, document.body.firstChild);
  });
})();
