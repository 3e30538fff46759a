// Dark or light: as the system says, unless the reader chose; the choice is kept in this browser.

import { byId, setAttr } from './dom';

const kKey = 'ethnet.theme';
const choices = ['system', 'light', 'dark'] as const;
type Choice = (typeof choices)[number];

function kept(): Choice {
  try {
    const value = localStorage.getItem(kKey);
    return choices.find((c) => c === value) ?? 'system';
  } catch {
    return 'system'; // storage is switched off
  }
}

function keep(choice: Choice): void {
  try {
    localStorage.setItem(kKey, choice);
  } catch {
    // It holds until the page is left.
  }
}

export function startTheme(): void {
  const buttons = choices.map(
    (choice) => [choice, byId(`theme-${choice}`, HTMLButtonElement)] as const,
  );
  const show = (choice: Choice): void => {
    setAttr(document.documentElement, 'data-theme', choice === 'system' ? undefined : choice);
    for (const [name, button] of buttons) setAttr(button, 'aria-pressed', String(name === choice));
  };
  for (const [choice, button] of buttons) {
    button.addEventListener('click', () => {
      keep(choice);
      show(choice);
    });
  }
  show(kept());
}
