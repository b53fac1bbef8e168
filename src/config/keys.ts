import { z } from 'zod';
import { fileSchema } from './schema.ts';

/** A key of the file that holds a value, and what is said of it. */
export type Key = {
  readonly path: readonly string[];
  /**
   * What the environment may give it as. `section`: keys that the operator names; the environment cannot give
   * it.
   */
  readonly valueKind: 'text' | 'number' | 'boolean' | 'list' | 'section';
  readonly description: string;
  readonly example: unknown;
  /** What counts where it is not written; undefined: it has to be, or has no value. */
  readonly defaultValue: unknown;
};

/** All keys that hold a value, in the order of the file. */
export const KEYS: readonly Key[] = leaves(fileSchema, []);

/** What is said of each section, by its name. */
export const SECTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(fileSchema.shape)
    .filter(([, schema]) => unwrap(schema) instanceof z.ZodObject)
    .map(([name, schema]) => [name, metaOf(schema).description ?? '']),
);

/** Keys whose value must not be shown. */
export function isSecretKey(path: readonly PropertyKey[]): boolean {
  return path.some((part) => part === 'access_token' || part === 'password');
}

function leaves(schema: z.core.$ZodType, path: readonly string[]): Key[] {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodObject)
    return Object.entries(bare.shape).flatMap(([key, inner]) =>
      leaves(inner as z.core.$ZodType, [...path, key]),
    );
  const { description = '', examples } = metaOf(schema);
  const unsaid = z.safeParse(schema, undefined);
  return [
    {
      path,
      valueKind: valueKindOf(bare),
      description,
      example: examples?.[0],
      defaultValue: unsaid.success ? unsaid.data : undefined,
    },
  ];
}

function valueKindOf(bare: z.core.$ZodType): Key['valueKind'] {
  if (bare instanceof z.ZodRecord) return 'section';
  if (bare instanceof z.ZodArray) return 'list';
  if (bare instanceof z.ZodBoolean) return 'boolean';
  return bare instanceof z.ZodNumber ? 'number' : 'text';
}

function metaOf(schema: z.core.$ZodType): {
  readonly description?: string;
  readonly examples?: readonly unknown[];
} {
  return (z.globalRegistry.get(schema) as ReturnType<typeof metaOf> | undefined) ?? {};
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrap(schema.unwrap());
  return schema;
}
