import { CopyButton } from '../parts/copy-button.tsx'

/** What to do while nothing has reported: the request that works at this very address. */
export function FirstReport() {
  const command = commandFor(new URL('api/status', document.baseURI).href, new Date())
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

function commandFor(url: string, now: Date): string {
  const body = {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: 'SYNCED',
    drift_count: 0,
    files: [],
    last_check: `${now.toISOString().slice(0, 19)}Z`,
  }
  return `curl -X POST -H "Content-Type: application/json" -d '${JSON.stringify(body)}' ${url}`
}
