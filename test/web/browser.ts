import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Where Chromium is; undefined on a machine without it. */
export function findChromium(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'chromium'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

const DISABLED_FEATURES = [
  // Chromium's own address bar is a page too: in each window it loads as many scripts as ours, at the same time.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxFullPopup',
  // What Playwright turns off for the same system. It has to be said again: of several such flags the last one counts.
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  // These ask others on the internet.
  'AimEnabled',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PreconnectToSearch',
]

export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // The tests run as root in CI, where Chromium's own sandbox cannot be built, and must ask nobody else for anything.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${DISABLED_FEATURES.join(',')}`,
    ],
  })
}

/** A browser of somebody who has never been here, and what went wrong in it. */
export interface Visitor extends AsyncDisposable {
  readonly context: BrowserContext
  /** Opens a page and waits for nothing but its document. */
  open(url: string): Promise<Page>
  /** What ran or was refused that must not have been, and what no code caught. */
  readonly mishaps: readonly string[]
}

// Whoever manages to run a script can call this. What the policy of the page refused is told too.
const WATCH = `
  globalThis.hit = (what) => console.error('MISHAP executed ' + what)
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
    console.error('MISHAP refused ' + [violatedDirective, blockedURI, sample].join(' ')))
`

export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, ...options })
  context.setDefaultTimeout(10_000)
  const mishaps: string[] = []
  if (options.javaScriptEnabled !== false) await context.addInitScript(WATCH)
  return {
    context,
    mishaps,
    async open(url) {
      const page = await context.newPage()
      page.on('dialog', (dialog) => {
        mishaps.push(`dialog ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('pageerror', (error) => mishaps.push(`uncaught ${error.message}`))
      page.on('console', (message) => {
        if (message.text().includes('MISHAP') || /Content.Security.Policy/i.test(message.text())) {
          mishaps.push(message.text())
        }
      })
      await page.goto(url)
      return page
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}
