import { readFileSync } from 'node:fs'

/** A fenced block of a document. */
export interface CodeBlock {
  readonly file: string
  /** Of its first line; the fence is the one before. */
  readonly line: number
  /** What stands behind the opening fence: `sh`, `json`, … */
  readonly language: string
  readonly text: string
}

/** All fenced blocks in order, also those inside a list, whose indentation is not part of them. */
export function codeBlocks(file: string, markdown = readDocument(file)): CodeBlock[] {
  const lines = markdown.split('\n')
  const blocks: CodeBlock[] = []
  for (let i = 0; i < lines.length; i++) {
    const [, indent, fence, language] = /^( *)(`{3,}|~{3,}) *(.*)$/.exec(lines[i] ?? '') ?? []
    if (indent === undefined || fence === undefined) continue
    const begin = i + 1
    const end = lines.findIndex((line, at) => at >= begin && line.trim() === fence)
    if (end === -1) throw new Error(`${file}:${i + 1}: the block is never closed`)
    const text = lines
      .slice(begin, end)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
      .join('\n')
    blocks.push({ file, line: begin + 1, language: language?.trim() ?? '', text })
    i = end
  }
  return blocks
}

function readDocument(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
}
