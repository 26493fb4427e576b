import { Reported, Visible } from './reported.tsx'

/** A path whose last name stands out. It is the same text all the same: what is read, searched and copied is the whole. */
export function FilePath({ path }: { readonly path: string }) {
  const at = path.lastIndexOf('/', path.length - 2) + 1
  if (at === 0 || path.includes(' : ')) return <Reported text={path} /> // a task is no path, whatever it is called
  return (
    <bdi>
      <span className="directory">
        <Visible text={path.slice(0, at)} />
      </span>
      <Visible text={path.slice(at)} />
    </bdi>
  )
}
