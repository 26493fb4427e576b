import { readFileSync } from 'node:fs'
import { type App, startApp } from './app.ts'
import { type Config, type GoodConfig, helpText, type LoadedConfig, loadConfig } from './config.ts'
import { exampleRequest } from './contract/example-request.ts'
import { formatTime } from './contract/time.ts'
import { CannotStart } from './domain/cannot-start.ts'
import { type OpenLog, openLog } from './log.ts'
import { REAL_TIME } from './real-time.ts'
import { createServiceManager, type ServiceManager } from './service-manager.ts'
import { backUpStore, openTokenStore } from './store/open-store.ts'
import { runTokenCommand } from './token-command.ts'
import { WrongSettings } from './wrong-settings.ts'

const EXIT_FAILED = 1
const EXIT_WRONG_SETTINGS = 64 // EX_USAGE of sysexits.h

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2)
  if (first === 'token') return token(rest)
  const loaded = load(process.argv.slice(2))
  if (!('config' in loaded)) return console.log(loaded.action === 'help' ? helpText() : version())

  for (const warning of loaded.warnings) console.error(`warning: ${warning}`)
  if (loaded.action === 'check-config') return console.log('The settings are right.')
  if (loaded.action === 'print-config') return console.log(loaded.described.join('\n'))
  if (loaded.action === 'backup') return backUp(loaded)
  return serve(loaded.config)
}

function load(argv: readonly string[]): LoadedConfig {
  return loadConfig({ argv, env: process.env, readFile: (path) => readFileSync(path, 'utf8') })
}

function token(argv: readonly string[]): Promise<void> {
  return runTokenCommand(argv, {
    openTokens: openTokenStore,
    databaseUrl(flags) {
      const loaded = load(flags)
      if (!('config' in loaded)) throw new Error('flags that ask for help are read before')
      return loaded.config.databaseUrl
    },
    now: () => new Date(),
    out: (line) => console.log(line),
    say: (line) => console.error(line),
  })
}

function backUp({ config, backupTo }: GoodConfig): void {
  backUpStore(config.databaseUrl, backupTo)
  console.log(`Everything that was stored when this began is in ${backupTo}.`)
}

async function serve(config: Config): Promise<void> {
  const { log, flush } = openLog({ level: config.logLevel, format: config.logFormat })
  const fail = (err: unknown) => {
    log.fatal({ err }, 'unexpected failure, stopping')
    process.exit(EXIT_FAILED)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)

  const app = await startApp(config, { ...REAL_TIME, log })
  const manager = createServiceManager({ env: process.env, pid: process.pid, every: REAL_TIME.every, log })
  stopOnSignals(app, manager, { log, flush }) // before anybody knows that there is something to stop
  log.info({ url: app.url, try: exampleRequest(app.url, formatTime(new Date())) }, `ready at ${app.url}`)
  if (app.isOpen) {
    log.warn({ make: 'gitops-status-server token create' }, 'anybody who reaches this server may report: make a token')
  }
  await flush() // somebody waits for these lines
  await manager.ready(`ready at ${app.url}`)
}

function stopOnSignals(app: App, manager: ServiceManager, { log, flush }: OpenLog): void {
  let isStopping = false
  const stop = async (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(EXIT_FAILED) // asked twice: at once, whatever is still in flight
    isStopping = true
    log.info({ signal }, 'stopping')
    manager.stopping()
    await app.stop()
    log.info('stopped')
    await flush()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return `gitops-status-server ${version}`
}

try {
  await main()
} catch (error) {
  if (error instanceof WrongSettings) {
    console.error(`Wrong settings:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}\nSee --help.`)
    process.exit(EXIT_WRONG_SETTINGS)
  }
  console.error(error instanceof CannotStart ? error.message : error)
  process.exit(EXIT_FAILED)
}
