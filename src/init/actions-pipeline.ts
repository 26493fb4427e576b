import { pipelineCommands, pipelineVariables, type Variable } from './pipeline-commands.ts'
import type { RepositoryFacts } from './repository-facts.ts'
import { yamlMap, yamlText } from './yaml-text.ts'

/** How the servers that run workflows of GitHub's kind differ. */
export interface ActionsFlavour {
  readonly title: string
  /** An action by its commit: a tag may be moved. */
  readonly checkout: string
  readonly schedule: string
  /** What to know of the schedule. */
  readonly scheduleTraps: readonly string[]
  /** How often checks really run; null: as often as the server expects. */
  readonly intervalSeconds: number | null
}

const KEY = `printf "%s\\n" "$SSH_PRIVATE_KEY"`

/**
 * One job for a push, with steps: whether a job runs after one that failed is told differently by each server; whether
 * a step does, is not.
 */
export function actionsPipeline(facts: RepositoryFacts, flavour: ActionsFlavour): string {
  const { branch, image } = facts
  const commands = pipelineCommands(facts, KEY)
  const variables = pipelineVariables(facts, flavour.intervalSeconds)
  const secrets = facts.token ? ['SSH_PRIVATE_KEY', 'GITOPS_STATUS_TOKEN'] : ['SSH_PRIVATE_KEY']
  const syntaxCheck = step('syntax-check', commands.syntaxCheck, variables.ansible)
  const update = (condition: readonly string[] = []) =>
    step('update-gitops-status', commands.update, [...variables.update, ...variables.ansible], secrets, condition)
  const job = (name: string, lines: readonly string[], steps: readonly string[]) => [
    `  ${name}:`,
    ...lines.map((line) => `    ${line}`),
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 30',
    '    container:',
    `      image: ${yamlText(image)}`,
    "      # The checkout is root's or the runner's, and an image's own user may not write to it.",
    '      options: --user root',
    '    steps:',
    `      - uses: ${flavour.checkout}`,
    '        with:',
    '          persist-credentials: false',
    ...steps,
  ]

  return `${[
    `# For ${flavour.title}: what is pushed to ${branch} is checked and deployed, and gitops-status-server is told how the`,
    '# servers differ from Git.',
    `# Secrets that it needs: ${secrets.join(', ')}.`,
    '# The image has Ansible, an SSH client and gitops-status (target `reporter` of its deploy/image/Dockerfile): push it to',
    '# a registry that your runners reach, and put that in front of its name.',
    'name: gitops',
    '',
    'on:',
    '  push:',
    `    branches: [${yamlText(branch)}]`,
    '  pull_request:',
    '  schedule:',
    ...flavour.scheduleTraps.map((line) => `    # ${line}`),
    `    - cron: '${flavour.schedule}'`,
    '  workflow_dispatch:',
    '',
    'permissions:',
    '  contents: read',
    '',
    'jobs:',
    ...job(
      'syntax-check',
      ['# No secret here: whoever opens a pull request could print it.', "if: github.event_name == 'pull_request'"],
      syntaxCheck,
    ),
    '',
    ...job(
      'deploy',
      [
        `if: github.event_name == 'push' && github.ref == 'refs/heads/${branch}'`,
        '# Not the group of the checks: of those who wait in a group only the newest stays, and a check must not take the',
        '# place of a deploy.',
        'concurrency:',
        '  group: gitops-deploy',
        '  cancel-in-progress: false',
      ],
      [
        ...syntaxCheck,
        ...step(
          'validate',
          commands.validate,
          variables.ansibleOverSsh,
          ['SSH_PRIVATE_KEY'],
          commands.validateMayFail
            ? ['# On a server that is new, check mode may fail where a deploy would not.', 'continue-on-error: true']
            : [],
        ),
        ...step('deploy', commands.deploy, variables.ansibleOverSsh, ['SSH_PRIVATE_KEY']),
        ...update(['# Whether the deploy succeeded or not.', 'if: always()']),
      ],
    ),
    '',
    ...job(
      'gitops_sync_check',
      [
        '# Of another branch a check would call drift what is only not merged yet.',
        'if: >-',
        `  github.ref == 'refs/heads/${branch}' &&`,
        "  (github.event_name == 'schedule' || github.event_name == 'workflow_dispatch')",
        'concurrency:',
        '  group: gitops-sync-check',
        '  cancel-in-progress: false',
      ],
      update(),
    ),
  ].join('\n')}\n`
}

function step(
  name: string,
  command: string,
  variables: readonly Variable[],
  secrets: readonly string[] = [],
  condition: readonly string[] = [],
): string[] {
  const env = [...yamlMap(variables, 10), ...secrets.map((name) => `          ${name}: \${{ secrets.${name} }}`)]
  return [
    `      - name: ${name}`,
    ...condition.map((line) => `        ${line}`),
    ...(env.length > 0 ? ['        env:', ...env] : []),
    `        run: ${command}`,
  ]
}
