import type { TObject, TSchema } from 'typebox'

// What is looked at of a schema; which keyword goes with which is the schema's business.
interface Shape {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly items?: TSchema
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly description?: string
}

/** Every field that a schema names, those inside of others too, as rows of Markdown in its order. */
export function fieldTable(schema: TObject): string {
  return ['| field | | what it is |', '|---|---|---|', ...rowsOf(schema, '')].join('\n')
}

function rowsOf(schema: TSchema, within: string): string[] {
  const { properties = {}, required = [] } = shapeOf(schema)
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = within + name
    const { items, description = '' } = shapeOf(field)
    const isRequired = required.includes(name) ? '**required** ' : ''
    const row = `| \`${path}\` | ${isRequired}${formOf(shapeOf(field))} | ${description.replaceAll('|', '\\|')} |`
    return [row, ...(items === undefined ? rowsOf(field, `${path}.`) : rowsOf(items, `${path}[].`))]
  })
}

function formOf({ type, enum: words, minimum, maximum, maxLength, maxItems }: Shape): string {
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(', ')
  if (type === 'integer') return `whole number, ${number(minimum)} to ${number(maximum)}`
  if (type === 'string') return maxLength === undefined ? 'text' : `text, up to ${number(maxLength)} characters`
  if (type === 'array') return `list, up to ${number(maxItems)}`
  return type ?? ''
}

function number(value: number | undefined): string {
  return value === Number.MAX_SAFE_INTEGER ? '2^53 − 1' : (value ?? Number.NaN).toLocaleString('en')
}

function shapeOf(schema: TSchema): Shape {
  return schema as Shape
}
