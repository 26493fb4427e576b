import { CopyButton } from '../parts/copy-button.tsx'

/** What to do while nothing has reported: the request that works at this very address. */
export function FirstReport() {
  const command = commandFor(new URL('.', document.baseURI).href.replace(/\/$/, ''), new Date())
  return (
    <section className="first">
      <h1>
        <span className="waiting" aria-hidden="true" /> Waiting for the first report
      </h1>
      <p>Send one, and it shows up here by itself:</p>
      <pre>
        <code>{command}</code>
      </pre>
      <CopyButton text={command} what="the command" />
    </section>
  )
}

// Put in when the dashboard is built, so that both pages say the same: what runs in a browser shares no code with the
// server.
declare const EXAMPLE_REQUEST: string

function commandFor(address: string, now: Date): string {
  return EXAMPLE_REQUEST.replace('ADDRESS', address).replace('TIME', `${now.toISOString().slice(0, 19)}Z`)
}
