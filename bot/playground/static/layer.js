/** Layers over the whole page that the browser's back button closes. */

let depth = 0;

/**
 * Create a layer.
 * @param {() => void} close called on back; must lead to `closed()`
 * @returns {{opened: () => void, closed: () => void, reopen: () => void}}
 */
export function createLayer(close) {
  let mine = 0;
  addEventListener('popstate', (event) => {
    if (mine && (event.state?.depth ?? 0) < mine) close();
  });
  return {
    /** The layer was opened: add a history entry. */
    opened() {
      depth += 1;
      mine = depth;
      history.pushState({ depth }, '');
    },
    /** Back was pressed but the layer stays open: add a new history entry. */
    reopen() {
      if (mine && (history.state?.depth ?? 0) < mine) history.pushState({ depth: mine }, '');
    },
    /** The layer was closed: remove its history entry. */
    closed() {
      if (!mine) return;
      const own = mine;
      mine = 0;
      depth = own - 1;
      if ((history.state?.depth ?? 0) >= own) history.back();
    },
  };
}

// After a reload no layer is open.
if (history.state?.depth) history.replaceState(null, '');
