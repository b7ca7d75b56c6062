/** What covers the whole page closes by the browser's back, as on a phone people expect. */

let depth = 0;

/**
 * @param {() => void} close what back does; it must lead to `closed()`
 * @returns {{opened: () => void, closed: () => void, reopen: () => void}}
 */
export function createLayer(close) {
  let mine = 0;
  addEventListener('popstate', (event) => {
    if (mine && (event.state?.depth ?? 0) < mine) close();
  });
  return {
    opened() {
      depth += 1;
      mine = depth;
      history.pushState({ depth }, '');
    },
    /** Back was pressed, but the layer stays for now: give it a new entry to go back from. */
    reopen() {
      if (mine && (history.state?.depth ?? 0) < mine) history.pushState({ depth: mine }, '');
    },
    /** Closed in another way: the entry that was made for back goes too. */
    closed() {
      if (!mine) return;
      const own = mine;
      mine = 0;
      depth = own - 1;
      if ((history.state?.depth ?? 0) >= own) history.back();
    },
  };
}

// A page loaded anew has nothing open, whatever its history entry says.
if (history.state?.depth) history.replaceState(null, '');
