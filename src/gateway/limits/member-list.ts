/** Can be in one `MemberList` at a time, which keeps its place here; -1: in none. */
export interface Listed {
  listIndex: number;
}

/**
 * Members in no particular order, for lists that most requests enter and leave. A `Set` would do, but it
 * replaces its table again and again, and each old table keeps the next one and all its members alive until the
 * whole heap is collected: that took a seventh of a request's time.
 */
export class MemberList<T extends Listed> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Those of this moment, to go through while members come and go. */
  snapshot(): readonly T[] {
    return this.#members.slice();
  }

  has(member: T): boolean {
    return this.#members[member.listIndex] === member;
  }

  /** Does nothing where it is a member already. */
  add(member: T): void {
    if (!this.has(member)) member.listIndex = this.#members.push(member) - 1;
  }

  /** False where it was no member. */
  delete(member: T): boolean {
    if (!this.has(member)) return false;
    const last = this.#members.pop() as T;
    if (last !== member) {
      this.#members[member.listIndex] = last;
      last.listIndex = member.listIndex;
    }
    member.listIndex = -1;
    return true;
  }

  clear(): void {
    for (const member of this.#members) member.listIndex = -1;
    this.#members.length = 0;
  }
}
