/** The requirement's curl, for an address and a moment: what to try when nothing has reported yet. */
export function exampleRequest(url: string, lastCheck: string): string {
  const body = {
    repo: 'rsyslog',
    server: 'rsyslog-lab',
    sync_status: 'SYNCED',
    drift_count: 0,
    files: [],
    last_check: lastCheck,
  }
  return `curl -X POST -H "Content-Type: application/json" -d '${JSON.stringify(body)}' ${url}/api/status`
}
