import { readFileSync } from 'node:fs'

export interface Instruction {
  readonly keyword: string
  /** `--from=x --chown=y`, by name. */
  readonly flags: Readonly<Record<string, string>>
  /** What follows them, with variables filled in; a list in brackets is left as it is. */
  readonly text: string
}

export interface Stage {
  readonly name: string
  readonly base: string
  readonly instructions: readonly Instruction[]
}

/** Reads as much of the language as our Dockerfile uses, and throws at the rest. */
export function parseDockerfile(text: string): readonly Stage[] {
  const global: Record<string, string> = {}
  const stages: { name: string; base: string; instructions: Instruction[]; args: Record<string, string> }[] = []

  for (const line of logicalLines(text)) {
    const [, keyword = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? []
    if (!KEYWORDS.has(keyword)) throw new Error(`Not understood: ${line}`)
    const stage = stages.at(-1)
    if (keyword === 'FROM') {
      const [, base, name] = /^(\S+) AS (\S+)$/.exec(filledIn(rest, global)) ?? []
      if (base === undefined || name === undefined) throw new Error(`Not understood: ${line}`)
      stages.push({ name, base, instructions: [], args: {} })
    } else if (keyword === 'ARG') {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(rest) ?? []
      ;(stage?.args ?? global)[name] = value
    } else if (stage === undefined) {
      throw new Error(`Before any stage: ${line}`)
    } else {
      stage.instructions.push(instruction(keyword, keyword === 'RUN' ? rest : filledIn(rest, stage.args)))
    }
  }
  return stages
}

const KEYWORDS = new Set(
  ['FROM', 'ARG', 'WORKDIR', 'COPY', 'RUN', 'LABEL', 'ENV', 'USER', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK'].concat(
    ['ENTRYPOINT', 'CMD'], // "ADD", "SHELL", "ONBUILD" and "VOLUME" have no place in it
  ),
)

function instruction(keyword: string, rest: string): Instruction {
  const [, before = '', text = ''] = /^((?:--[\w-]+=\S+\s+)*)(.*)$/s.exec(rest) ?? []
  const flags = [...before.matchAll(/--([\w-]+)=(\S+)/g)].map(([, name, value]) => [name, value])
  return { keyword, flags: Object.fromEntries(flags), text: text.trim() }
}

function logicalLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
}

/** Names that are not known stay: they are the shell's, or Node's. */
function filledIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name) => values[name] ?? whole)
}

export function theStage(stages: readonly Stage[], name: string): Stage {
  const found = stages.find((stage) => stage.name === name)
  if (found === undefined) throw new Error(`There is no stage ${name}`)
  return found
}

export function textsOf({ instructions }: Stage, keyword: string): string[] {
  return instructions.filter((one) => one.keyword === keyword).map(({ text }) => text)
}

/** `NAME=value` and `NAME="a value"`, of all ENV or LABEL lines. */
export function pairsOf(stage: Stage, keyword: 'ENV' | 'LABEL'): Record<string, string> {
  const pairs = textsOf(stage, keyword).flatMap((text) => [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)])
  return Object.fromEntries(pairs.map(([, name, quoted, bare]) => [name, quoted ?? bare]))
}

export function readDockerfile(): readonly Stage[] {
  return parseDockerfile(readFileSync(new URL('../../deploy/image/Dockerfile', import.meta.url), 'utf8'))
}
