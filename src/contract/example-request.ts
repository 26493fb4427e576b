import { formatTime } from './time.ts'

/** The requirement's curl, for this address and this moment: what to try when nothing has reported yet. */
export function exampleRequest(url: string, now: Date): string {
  const body = {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: 'SYNCED',
    drift_count: 0,
    files: [],
    last_check: formatTime(now),
  }
  return `curl -X POST -H "Content-Type: application/json" -d '${JSON.stringify(body)}' ${url}/api/status`
}
