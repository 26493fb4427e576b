import { useState } from 'react'

const NEXT = { system: 'dark', dark: 'light', light: 'system' } as const
type Theme = keyof typeof NEXT

const MEANS: Readonly<Record<Theme, string>> = {
  system: 'Dark or light, as this system is set',
  dark: 'Always dark',
  light: 'Always light',
}

/** Dark, light, or as the system says. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme) ?? 'system')

  function change() {
    const next = NEXT[theme]
    setTheme(next)
    if (next === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = next
    try {
      localStorage.setItem('theme', next)
    } catch {
      // Then it holds until the page is left.
    }
  }
  return (
    <button type="button" className="quiet" onClick={change} title={`${MEANS[theme]}. Change to ${NEXT[theme]}`}>
      <span aria-hidden="true">◐ </span>
      Colours: {theme}
    </button>
  )
}
