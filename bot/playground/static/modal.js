/**
 * Modal dialogs for engines that have none (Safari before 15.4): enough for this page. The page behind is not inert, and
 * a press beside the dialog does not close it.
 */

/** @param {any} dialog */
function provide(dialog) {
  dialog.classList.add('plain-dialog');
  dialog.setAttribute('role', dialog.getAttribute('role') ?? 'dialog');
  dialog.setAttribute('aria-modal', 'true');
  dialog.returnValue = '';
  Object.defineProperty(dialog, 'open', { get: () => dialog.hasAttribute('open') });
  dialog.showModal = () => {
    dialog.setAttribute('open', '');
    dialog.querySelector('button:not([hidden])')?.focus();
  };
  dialog.close = (/** @type {string | undefined} */ value) => {
    if (!dialog.open) return;
    if (value !== undefined) dialog.returnValue = value;
    dialog.removeAttribute('open');
    dialog.dispatchEvent(new Event('close'));
  };
  dialog.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    if (dialog.dispatchEvent(new Event('cancel', { cancelable: true }))) dialog.close();
  });
}

if (!('HTMLDialogElement' in window)) document.querySelectorAll('dialog').forEach(provide);
