import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface RunningPushgateway extends AsyncDisposable {
  readonly url: string
  /** The lines of /metrics that begin so. */
  series(beginning: string): Promise<string[]>
}

/** A Pushgateway that keeps what it is told in memory: Debian's would write to /var/lib. */
export async function startPushgateway({
  address = '127.0.0.1:0', // any free port
  args = [],
}: {
  readonly address?: string
  readonly args?: readonly string[]
} = {}): Promise<RunningPushgateway> {
  const child = spawn('prometheus-pushgateway', [`--web.listen-address=${address}`, '--persistence.file=', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  const listening = await Promise.race([
    new Promise<string>((resolve) => {
      createInterface(child.stderr).on('line', (line) => {
        const found = /msg="Listening on" address=(\S+)/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
    }),
    exited.then(() => Promise.reject(new Error('prometheus-pushgateway did not start'))),
  ])
  const url = `http://${listening}`
  return {
    url,
    async series(beginning) {
      const text = await (await fetch(`${url}/metrics`)).text()
      return text.split('\n').filter((line) => line.startsWith(beginning))
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
