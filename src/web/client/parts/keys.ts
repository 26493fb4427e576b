import { useEffect, useRef } from 'react'

export type KeyHandlers = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Single keys for the whole page, as long as nobody types into a field or holds a modifier. */
export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers)
  latest.current = handlers
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      const isTyping =
        event.target instanceof Element && event.target.closest('input, textarea, select, dialog[open]') !== null
      if (isTyping && event.key !== 'Escape') return
      latest.current[event.key]?.(event)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}
