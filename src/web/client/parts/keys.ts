import { useEffect, useRef } from 'react'

export type KeyHandlers = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Single keys for the whole page, as long as nobody types into a field or holds a modifier. */
export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers)
  latest.current = handlers
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      const target = event.target instanceof Element ? event.target : null
      if (target?.closest('dialog[open]') != null) return // its Esc closes it, and nothing behind it
      const isTyping = target?.closest('input, textarea, select') != null
      if (isTyping && event.key !== 'Escape') return
      latest.current[event.key]?.(event)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}
