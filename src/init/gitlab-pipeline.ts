import { pipelineCommands, pipelineVariables, type Variable } from './pipeline-commands.ts'
import type { RepositoryFacts } from './repository-facts.ts'
import { yamlMap, yamlText } from './yaml-text.ts'

// GitLab.com starts a schedule every five minutes at the most, and a server of one's own, as it is set up, every ten.
const INTERVAL_SECONDS = 900

/** For GitLab 15 and newer. Variables of a project reach every job by themselves, so none is named here twice. */
export function gitlabPipeline(facts: RepositoryFacts): string {
  const commands = pipelineCommands(facts, `(cat "$SSH_PRIVATE_KEY_FILE"; echo)`)
  const variables = pipelineVariables(facts, INTERVAL_SECONDS)
  const onBranch = `$CI_COMMIT_BRANCH == ${facts.isBranchChosen ? JSON.stringify(facts.branch) : '$CI_DEFAULT_BRANCH'}`
  const theBranch = facts.isBranchChosen ? `the branch ${facts.branch}` : 'the default branch'
  const onPush = `    - if: $CI_PIPELINE_SOURCE == "push" && ${onBranch}`
  return `${[
    `# For GitLab CI: what is pushed to ${theBranch} is checked and deployed, and gitops-status-server is told how`,
    '# the servers differ from Git.',
    '#',
    '# Settings, CI/CD, Variables:',
    '#   SSH_PRIVATE_KEY_FILE   of type File (a key of several lines cannot be masked), protected, so that it reaches',
    '#                          protected branches only and no merge request',
    ...(facts.token ? ['#   GITOPS_STATUS_TOKEN    masked and protected'] : []),
    `# Build, Pipeline schedules: gitops_sync_check, on ${theBranch}, as often as your GitLab lets you. It runs with`,
    '# the rights of its owner and stops when that person leaves.',
    '',
    'default:',
    '  image:',
    '    # Ansible, an SSH client and gitops-status (target `reporter` of its deploy/image/Dockerfile): push it to a',
    '    # registry that your runners reach, and put that in front of its name.',
    `    name: ${yamlText(facts.image)}`,
    "    entrypoint: ['']",
    '',
    'stages: [syntax-check, validate, deploy, update-gitops-status]',
    '',
    ...job('syntax-check', variables.ansible, commands.syntaxCheck),
    '  rules:',
    '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"',
    onPush,
    '',
    ...job('validate', variables.ansibleOverSsh, commands.validate),
    ...(commands.validateMayFail
      ? ['  # On a server that is new, check mode may fail where a deploy would not.', '  allow_failure: true']
      : []),
    '  rules:',
    onPush,
    '',
    ...job('deploy', variables.ansibleOverSsh, commands.deploy),
    '  # One at a time, the checks included: each waits for its turn, and none is dropped.',
    '  resource_group: gitops',
    '  rules:',
    onPush,
    '',
    ...job('update-gitops-status', [...variables.update, ...variables.ansible], commands.update),
    '  resource_group: gitops',
    '  rules:',
    '    # Whether the deploy succeeded or not.',
    onPush,
    '      when: always',
    '    # Of another branch a check would call drift what is only not merged yet.',
    `    - if: $CI_PIPELINE_SOURCE == "schedule" && ${onBranch}`,
    `    - if: $CI_PIPELINE_SOURCE == "web" && ${onBranch}`,
  ].join('\n')}\n`
}

function job(name: string, variables: readonly Variable[], command: string): string[] {
  return [
    `${name}:`,
    `  stage: ${name}`,
    ...(variables.length > 0 ? ['  variables:', ...yamlMap(variables, 4)] : []),
    '  script:',
    `    - ${command}`,
  ]
}
