// npm run screenshots -- http://127.0.0.1:8080: takes the pictures of docs/images from a running lab. Whoever looks at a
// picture sees what the product showed, so edit a file on the lab's server first.
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const [url] = process.argv.slice(2)
if (url === undefined) throw new Error('Say where the lab is: npm run screenshots -- http://127.0.0.1:8080')

const WIDE = { width: 1280, height: 720 }
const PHONE = { width: 360, height: 740 }
const PICTURES = [
  { name: 'fleet', path: '/', viewport: WIDE, colorScheme: 'light' },
  {
    name: 'target',
    path: '/targets/rsyslog/rsyslog-lab',
    viewport: { width: 1280, height: 1000 },
    colorScheme: 'light',
  },
  {
    name: 'target-dark',
    path: '/targets/rsyslog/rsyslog-lab',
    viewport: { width: 1280, height: 1000 },
    colorScheme: 'dark',
  },
  { name: 'activity', path: '/activity', viewport: WIDE, colorScheme: 'light' },
  { name: 'phone', path: '/', viewport: PHONE, colorScheme: 'light' },
] as const

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
for (const { name, path, viewport, colorScheme } of PICTURES) {
  const page = await browser.newPage({ viewport, colorScheme })
  await page.goto(url + path)
  await page.getByRole('status').getByText('Live').waitFor()
  await page.locator('.line.target, .stretch, .activity li').first().waitFor()
  await page.screenshot({ path: fileURLToPath(new URL(`../docs/images/${name}.png`, import.meta.url)) })
  await page.close()
}
await browser.close()
