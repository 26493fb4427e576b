import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeRepository } from '../../test/reporter/check-run.ts'
import { runCli } from './cli.ts'

const PLAYBOOK = '- hosts: all\n  tasks: []\n'
const OWN = { 'site.yml': PLAYBOOK, 'hosts.ini': 'web-1\n' }
const NEEDED = ['init', '--ci', 'woodpecker', '--server-url', 'http://status.example.org', '--branch', 'main']

async function init(
  directory: string,
  args: readonly string[],
  answers?: readonly (string | null)[],
  whileAsked: (question: string) => void = () => {},
) {
  const out: string[] = []
  const err: string[] = []
  const questions: string[] = []
  const code = await runCli(args, {
    env: { PATH: process.env.PATH },
    directory,
    console: { out: (line) => out.push(line), err: (line) => err.push(line) },
    terminal: answers !== undefined,
    signal: new AbortController().signal,
    ...(answers && {
      ask: async (question: string) => {
        questions.push(question)
        whileAsked(question)
        return answers[questions.length - 1] ?? null
      },
    }),
  })
  return { code, out: out.join('\n'), err: err.join('\n'), questions }
}

describe('gitops-status init', () => {
  it('writes what is missing, and says what is left to do', async () => {
    using own = makeRepository(OWN)

    const { code, out, err } = await init(own.directory, NEEDED)

    assert.deepEqual([code, err], [0, ''])
    assert.match(
      out,
      /^\+ \.woodpecker\.yml written\n\+ update-gitops-status\.sh written\n\+ ansible\/playbooks\/drift-/,
    )
    assert.match(out, /\* Make the cron job .* gitops-status woodpecker setup/)
    const read = (path: string) => readFileSync(join(own.directory, path), 'utf8')
    assert.match(read('.woodpecker.yml'), / ansible-playbook -i hosts\.ini site\.yml'/)
    assert.equal(
      read('update-gitops-status.sh'),
      readFileSync(new URL('../../update-gitops-status.sh', import.meta.url), 'utf8'),
    )
    assert.equal(statSync(join(own.directory, 'update-gitops-status.sh')).mode & 0o777, 0o755)
    assert.match(read('ansible/playbooks/drift-check.yml'), /import_playbook: \.\.\/\.\.\/site\.yml\n$/)
  })

  it('changes nothing the second time', async () => {
    using own = makeRepository(OWN)
    await init(own.directory, NEEDED)

    const { code, out } = await init(own.directory, NEEDED)

    assert.equal(code, 0)
    assert.match(out, /^= .*\n= .*\n= .*\n= .*\n\n/)
  })

  it('shows the difference of a file that is there, and leaves it', async () => {
    using own = makeRepository({ ...OWN, '.woodpecker.yml': 'steps: [] # mine\n' })

    const { code, out, err } = await init(own.directory, NEEDED)

    assert.equal(code, 1)
    assert.match(
      out,
      /^--- a\/\.woodpecker\.yml\n\+\+\+ b\/\.woodpecker\.yml\n@@ .*\n-steps: \[\] # mine\n\+# For Wood/,
    )
    assert.match(err, /^✗ Left as it was: \.woodpecker\.yml\. .*--overwrite$/)
    assert.equal(readFileSync(join(own.directory, '.woodpecker.yml'), 'utf8'), 'steps: [] # mine\n')
  })

  it('replaces it with --overwrite, but never a drift check of your own', async () => {
    using own = makeRepository({
      ...OWN,
      '.woodpecker.yml': 'steps: []\n',
      'ansible/playbooks/drift-check.yml': PLAYBOOK,
    })

    const { code, out } = await init(own.directory, [...NEEDED, '--overwrite'])

    assert.equal(code, 0)
    assert.match(out, /^~ \.woodpecker\.yml replaced$/m)
    assert.match(readFileSync(join(own.directory, '.woodpecker.yml'), 'utf8'), /update-gitops-status/)
    assert.equal(readFileSync(join(own.directory, 'ansible/playbooks/drift-check.yml'), 'utf8'), PLAYBOOK)
  })

  it('replaces nothing that changed or appeared while it asked', async () => {
    using own = makeRepository({ ...OWN, '.woodpecker.yml': 'steps: []\n' })
    const path = (file: string) => join(own.directory, file)

    const { code, out, err } = await init(own.directory, NEEDED, ['', '', '', '', '', '', 'y', 'n'], (question) => {
      if (!question.startsWith('Replace .woodpecker.yml')) return
      writeFileSync(path('.woodpecker.yml'), 'steps: [] # newer\n')
      writeFileSync(path('update-gitops-status.sh'), 'newer\n')
    })

    assert.equal(code, 1)
    assert.match(err, /^✗ \.woodpecker\.yml: it was changed meanwhile$/m)
    assert.match(out, /^! update-gitops-status\.sh differs and was left as it is$/m)
    assert.equal(readFileSync(path('.woodpecker.yml'), 'utf8'), 'steps: [] # newer\n')
    assert.equal(readFileSync(path('update-gitops-status.sh'), 'utf8'), 'newer\n')
  })

  it('makes update-gitops-status.sh executable only after a yes', async () => {
    using own = makeRepository(OWN)
    await init(own.directory, NEEDED)
    execFileSync('chmod', ['644', join(own.directory, 'update-gitops-status.sh')])

    const { code, out } = await init(own.directory, NEEDED)
    assert.equal(code, 1)
    assert.match(out, /^old mode 644, new mode 755\n! update-gitops-status\.sh differs/m)

    await init(own.directory, [...NEEDED, '--overwrite'])
    assert.equal(statSync(join(own.directory, 'update-gitops-status.sh')).mode & 0o777, 0o755)
  })

  it('writes nothing with --dry-run, and shows all', async () => {
    using own = makeRepository({ ...OWN, '.woodpecker.yml': 'steps: []\n' })

    const { code, out } = await init(own.directory, [...NEEDED, '--dry-run'])

    assert.equal(code, 0)
    assert.match(out, /^-steps: \[\]$[\s\S]*^~ \.woodpecker\.yml would be replaced$/m)
    assert.match(out, /^\+ update-gitops-status\.sh would be written\n {4}#!\/bin\/sh$/m)
    assert(!existsSync(join(own.directory, 'update-gitops-status.sh')))
  })

  it('asks for what is open, suggests what it found, and asks again after a wrong answer', async () => {
    using own = makeRepository({ ...OWN, '.woodpecker.yml': 'steps: []\n' })
    const answers = ['nonsense', '', '', 'http://status.example.org', 'web', '', '', '', 'main', '', 'y', 'n']

    const { code, out, questions } = await init(own.directory, ['init'], answers)

    assert.match(questions[0] ?? '', /^which CI \(woodpecker, gitea, .*\) \[woodpecker\]: $/)
    assert.match(questions[1] ?? '', /must be one of woodpecker, .* not "nonsense"/)
    assert.match(questions.join('\n'), /the playbook that deploys \[site\.yml\]: \nthe inventory \[hosts\.ini\]: /)
    assert.equal(questions.at(-2), 'Does gitops-status-server ask for a token (y/N)? ')
    assert.match(out, /^\+ +GITOPS_STATUS_TOKEN:$/m)
    assert.equal(questions.at(-1), 'Replace .woodpecker.yml (y/N)? ')
    assert.equal(code, 1)
    assert.equal(readFileSync(join(own.directory, '.woodpecker.yml'), 'utf8'), 'steps: []\n')
    assert(existsSync(join(own.directory, 'update-gitops-status.sh')))
  })

  it('writes nothing when nobody answers any more', async () => {
    using own = makeRepository(OWN)

    const { code, err } = await init(own.directory, ['init'], ['woodpecker', null])

    assert.equal(code, 64)
    assert.match(err, /nothing was written/)
    assert(!existsSync(join(own.directory, '.woodpecker.yml')))
  })

  it('names all that is missing or wrong at once, and never guesses', async () => {
    using own = makeRepository({})

    const { code, err } = await init(own.directory, [
      'init',
      ...['--server-url', 'http://a"b', '--repo-name', 'a b', '--server-name', 'all,x', '--playbook', '../site.yml'],
      ...['--inventory', 'a b', '--branch', "x'y", '--image', '$(id)'],
    ])

    assert.equal(code, 64)
    assert.match(err, /--ci is missing/)
    for (const flag of ['server-url', 'repo-name', 'server-name', 'playbook', 'inventory', 'branch', 'image'])
      assert.match(err, new RegExp(`^✗ --${flag} `, 'm'), flag)
  })

  it('takes what is not there for a mistake', async () => {
    using own = makeRepository(OWN)

    const { code, err } = await init(own.directory, [...NEEDED, '--playbook', 'deploy.yml'])

    assert.equal(code, 64)
    assert.equal(err.split('\n')[0], '✗ --playbook deploy.yml: there is no such file')
  })

  it('writes beside the files of a .woodpecker folder, which would hide a .woodpecker.yml', async () => {
    using own = makeRepository({ ...OWN, '.woodpecker/build.yml': 'steps: []\n' })

    await init(own.directory, NEEDED)

    assert(existsSync(join(own.directory, '.woodpecker/gitops.yml')))
    assert(!existsSync(join(own.directory, '.woodpecker.yml')))
  })

  it('takes a .woodpecker.yaml for the pipeline, which Woodpecker reads first', async () => {
    using own = makeRepository({ ...OWN, '.woodpecker.yaml': 'steps: []\n' })

    const { code, out } = await init(own.directory, NEEDED)

    assert.equal(code, 1)
    assert.match(out, /^! \.woodpecker\.yaml differs and was left as it is$/m)
    assert(!existsSync(join(own.directory, '.woodpecker.yml')))
  })

  it('follows no link out of the repository', async () => {
    using own = makeRepository(OWN)
    using other = makeRepository({ 'file.yml': 'theirs\n' })
    symlinkSync(join(other.directory, 'file.yml'), join(own.directory, '.woodpecker.yml'))
    mkdirSync(join(other.directory, 'ansible'))
    symlinkSync(join(other.directory, 'ansible'), join(own.directory, 'ansible'))

    const { code, out, err } = await init(own.directory, [...NEEDED, '--overwrite'])

    assert.equal(code, 1)
    assert.match(out, /^! \.woodpecker\.yml was not written: it is a symbolic link$/m)
    assert.match(out, /^! ansible\/known_hosts was not written: ansible is a symbolic link$/m)
    assert.match(err, /^✗ Left as it was: \.woodpecker\.yml, .*ansible\/known_hosts\./)
    assert.equal(readFileSync(join(other.directory, 'file.yml'), 'utf8'), 'theirs\n')
    assert(!existsSync(join(other.directory, 'ansible/known_hosts')))
  })

  it('shows nothing of what is behind a linked folder', async () => {
    for (const args of [[], ['--dry-run'], ['--overwrite']]) {
      using own = makeRepository(OWN)
      using other = makeRepository({ 'workflows/gitops.yml': 'password: theirs\n' })
      symlinkSync(other.directory, join(own.directory, '.github'))

      const github = NEEDED.map((arg) => (arg === 'woodpecker' ? 'github' : arg))
      const { code, out, err } = await init(own.directory, [...github, ...args])

      assert.equal(code, 1)
      assert.match(out, /^! \.github\/workflows\/gitops\.yml was not written: \.github is a symbolic link$/m)
      assert(!`${out}${err}`.includes('theirs'))
      assert.equal(readFileSync(join(other.directory, 'workflows/gitops.yml'), 'utf8'), 'password: theirs\n')
    }
  })

  it('finds the branch that Git has checked out', async () => {
    using own = makeRepository(OWN)
    execFileSync('git', ['init', '--quiet', '--initial-branch=trunk', own.directory])

    await init(own.directory, ['init', '--ci', 'github', '--server-url', 'http://status.example.org'])

    assert.match(readFileSync(join(own.directory, '.github/workflows/gitops.yml'), 'utf8'), /branches: \[trunk\]/)
  })

  it('takes an own ansible.cfg into account', async () => {
    using own = makeRepository(OWN)
    writeFileSync(join(own.directory, 'ansible.cfg'), '[ssh_connection]\nssh_args = -o UserKnownHostsFile=keys\n')

    await init(own.directory, NEEDED)

    const pipeline = readFileSync(join(own.directory, '.woodpecker.yml'), 'utf8')
    assert.match(pipeline, /ANSIBLE_CONFIG: ansible\.cfg/)
    assert.doesNotMatch(pipeline, /ANSIBLE_SSH_EXTRA_ARGS/)
  })
})
