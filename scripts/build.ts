import { chmodSync, readFileSync } from 'node:fs'
import { build } from 'rolldown'

/**
 * Bundles `gitops-status` with everything it needs into dist/gitops-status.mjs: one file to copy into an image or
 * beside the update-gitops-status.sh of another repository. Needs a Node, and no package.
 */
const root = new URL('..', import.meta.url)
const PARTS = [
  'agent/gitops_status_agent.py',
  'agent/gitops_status_blame.py',
  'callback_plugins/gitops_status.py',
  'library/gitops_status_inspect.py',
  'playbooks/gitops-status-sentinel.yml',
]
const parts = Object.fromEntries(PARTS.map((path) => [path, readFileSync(new URL(`ansible/${path}`, root), 'utf8')]))
const wrapper = readFileSync(new URL('update-gitops-status.sh', root), 'utf8')

const [file = 'dist/gitops-status.mjs'] = process.argv.slice(2)
await build({
  cwd: new URL('.', root).pathname,
  input: 'src/gitops-status.ts',
  platform: 'node',
  transform: {
    target: 'node20',
    define: { EMBEDDED_ANSIBLE_PARTS: JSON.stringify(parts), EMBEDDED_WRAPPER: JSON.stringify(wrapper) },
  },
  output: { file, format: 'esm', banner: '#!/usr/bin/env node' },
  logLevel: 'warn',
})
chmodSync(new URL(file, root), 0o755)
