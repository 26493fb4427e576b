import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Router } from 'wouter'
import { App } from './app.tsx'
import { watchHistory } from './fleet/way-back.ts'
import { connectFleet } from './live/use-fleet.ts'

const place = document.getElementById('app')
if (place === null) throw new Error('The page has no place for the app')

watchHistory()
connectFleet(new URL(place.dataset.worker ?? '', document.baseURI).href)

// The server says by <base> where the product begins, whatever proxies have put before it.
const base = new URL('.', document.baseURI).pathname.replace(/\/$/, '')
createRoot(place).render(
  <StrictMode>
    <Router base={base}>
      <App />
    </Router>
  </StrictMode>,
)
