import { pipelineCommands, pipelineVariables, type Variable } from './pipeline-commands.ts'
import type { RepositoryFacts } from './repository-facts.ts'
import { yamlMap, yamlText } from './yaml-text.ts'

// Woodpecker writes the name in here before it reads the file.
const DEFAULT_BRANCH = `\${CI_REPO_DEFAULT_BRANCH}`

/**
 * For Woodpecker 3. No `depends_on`: a step that `when` leaves out may not be named in it (an error up to 3.14), and
 * without it the steps run one after the other. No `concurrency`: servers before 3.16 do not know it.
 */
export function woodpeckerPipeline(facts: RepositoryFacts): string {
  const commands = pipelineCommands(facts, `printf "%s\\n" "$SSH_PRIVATE_KEY"`)
  const variables = pipelineVariables(facts, null)
  const branch = facts.isBranchChosen ? yamlText(facts.branch) : DEFAULT_BRANCH
  return `${[
    '# For Woodpecker 3: what is pushed is checked and deployed, and gitops-status-server is told how the servers differ',
    '# from Git. What the server itself needs, `gitops-status woodpecker setup` does or names: the cron job',
    '# gitops_sync_check, and secrets that are allowed for the events push, cron and manual.',
    '',
    'variables:',
    '  # The image with Ansible, an SSH client and gitops-status (target `reporter` of its deploy/image/Dockerfile).',
    '  # A name without a registry is looked for on the agent itself; for one of your own put it in front, as in',
    '  # registry.example.org/ops/gitops-status-reporter:0.1.0',
    `  - &image ${yamlText(facts.image)}`,
    '',
    'when:',
    '  - event: [push, pull_request]',
    '  - event: cron',
    '    cron: gitops_sync_check',
    `    branch: ${branch}`,
    '  # Of another branch a check would call drift what is only not merged yet.',
    '  - event: manual',
    `    branch: ${branch}`,
    '',
    '# One after the other. After a step that failed only those with `status: failure` run.',
    'steps:',
    ...step('syntax-check', variables.ansible, [], commands.syntaxCheck),
    '    when:',
    '      - event: [push, pull_request]',
    '',
    '  # From here on with the key of the servers, and so never for a pull request.',
    ...step('validate', variables.ansibleOverSsh, ['SSH_PRIVATE_KEY'], commands.validate),
    ...(commands.validateMayFail
      ? ['    # On a server that is new, check mode may fail where a deploy would not.', '    failure: ignore']
      : []),
    '    when:',
    '      - event: push',
    `        branch: ${branch}`,
    '',
    ...step('deploy', variables.ansibleOverSsh, ['SSH_PRIVATE_KEY'], commands.deploy),
    '    when:',
    '      - event: push',
    `        branch: ${branch}`,
    '',
    '  # After the deploy, whether it succeeded or not, and alone on the cron job and on manual runs. It fails when the',
    '  # status of a server is not known or was not delivered; with `failure: ignore` the pipeline stays green even so.',
    ...step(
      'update-gitops-status',
      variables.update,
      facts.token ? ['SSH_PRIVATE_KEY', 'GITOPS_STATUS_TOKEN'] : ['SSH_PRIVATE_KEY'],
      commands.update,
      variables.ansible,
    ),
    '    when:',
    '      - event: push',
    `        branch: ${branch}`,
    '        status: [success, failure]',
    '      - event: cron',
    '        cron: gitops_sync_check',
    '      - event: manual',
  ].join('\n')}\n`
}

function step(
  name: string,
  variables: readonly Variable[],
  secrets: readonly string[],
  command: string,
  more: readonly Variable[] = [],
): string[] {
  const environment = [
    ...yamlMap(variables, 6),
    ...secrets.flatMap((secret) => [`      ${secret}:`, `        from_secret: ${secret}`]),
    ...yamlMap(more, 6),
  ]
  return [
    `  - name: ${name}`,
    '    image: *image',
    ...(environment.length > 0 ? ['    environment:', ...environment] : []),
    '    commands:',
    `      - ${command}`,
  ]
}
