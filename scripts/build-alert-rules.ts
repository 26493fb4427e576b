// Writes the alert rules of grafana/prometheus-rules.yml where the Kubernetes objects need them. kustomize and Helm read
// nothing outside their own folders.
import { readFileSync, writeFileSync } from 'node:fs'

const ROOT = new URL('..', import.meta.url)
const RULES = 'grafana/prometheus-rules.yml'

/** What each built file holds. A test compares it with what is there. */
export function builtAlertRules(): ReadonlyMap<string, string> {
  const rules = readFileSync(new URL(RULES, ROOT), 'utf8')
  const origin = `# Made of ${RULES} by \`npm run build:rules\`.\n`
  return new Map([
    ['deploy/kubernetes/components/prometheus-operator/prometheus-rule.yaml', origin + HEAD + indented(rules)],
    ['deploy/helm/gitops-status-server/files/prometheus-rules.yml', origin + rules],
  ])
}

const HEAD = `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: gitops-status-server
spec:
`

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}

if (import.meta.main) {
  for (const [path, text] of builtAlertRules()) writeFileSync(new URL(path, ROOT), text)
}
