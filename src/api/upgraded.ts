/**
 * The contract in types: what follows from what an `upgrade` hook returns. TypeScript looks for unknown keys only where a type is written beside
 * the object, and no application writes one there. So the keys are compared here, and the state is collected from all returns.
 */
import type { MaybePromise } from "./connection.ts";
import type { UpgradeResult } from "./handler.ts";

/** What `upgrade` may return. */
export type Upgraded<State = unknown> = MaybePromise<UpgradeResult<State> | Response | void>;

/**
 * What is compared with it. A state's texts and booleans at first keep their literal types (`kind: "guest"`), because they tell the members of a
 * union apart. TypeScript keeps them where literals of any kind are asked for.
 */
export type Returnable = MaybePromise<UpgradeResult<{ readonly [key: string]: Lowercase<string> | boolean }> | object | void>;

/**
 * Added to the type of the hook: nothing if all is well with what it returns, otherwise a sentence that no function is. Not added to what it
 * returns, by which TypeScript looks for the literals.
 */
export type Checked<Returned> = [Problem<Settled<Returned>>] extends [never] ? unknown : Problem<Settled<Returned>>;

type Problem<Result> =
  IsAny<Result> extends true
    ? never
    : Result extends Response | void
      ? never
      : Result extends readonly unknown[] | ((...args: never) => unknown)
        ? NoResult
        : Result extends object
          ? WrongKey<Result>
          : NoResult;
type NoResult = "upgrade must return an object, a Response or nothing: see UpgradeResult";
type WrongKey<Result> = {
  [Key in Exclude<keyof Result, "state">]-?: Key extends keyof UpgradeResult
    ? Result[Key] extends UpgradeResult[Key] | undefined
      ? never
      : `upgrade returned a wrong '${Key}': see UpgradeResult`
    : Key extends string
      ? string extends Key
        ? never
        : `upgrade returned the unknown key '${Key}': see UpgradeResult`
      : never;
}[Exclude<keyof Result, "state">];

/** The state of a handler whose `upgrade` returns this: of all returns, and undefined if one of several has none. Unknown if all have none. */
export type StateIn<Returned> = StateOfSettled<Settled<Returned>>;

type StateOfSettled<Result> = true extends IsAny<Result> | Same<Result, Settled<Returnable>>
  ? unknown
  : [Stateful<Result>] extends [never]
    ? unknown
    : Named<Result> | Widened<Written<Result>>;

type Settled<Returned> = Returned extends PromiseLike<infer Value> ? Value : Returned;
type IsAny<Type> = 0 extends 1 & Type ? true : false;
type IsUnion<Type, All = Type> = true extends (Type extends unknown ? ([All] extends [Type] ? false : true) : never) ? true : false;

type Stateful<Result> = Result extends object ? ("state" extends keyof Result ? Result : never) : never;

/** Has the type been named, as an `UpgradeResult<State>`? */
type IsNamed<Result> = [keyof UpgradeResult] extends [keyof Result] ? (Result extends { readonly state: unknown } ? false : true) : false;
type Named<Result> = Result extends { readonly state?: infer State } ? (IsNamed<Result> extends true ? State : never) : never;

/** Of results that are written as objects. `void` is part of what `upgrade` may return by name, and says nothing. */
type Written<Result> = Result extends Response
  ? never
  : Result extends object
    ? IsNamed<Result> extends true
      ? never
      : "state" extends keyof Result
        ? Result["state"]
        : undefined
    : Result extends undefined
      ? undefined
      : never;

/** As TypeScript would have inferred it, but with the literals that tell the states of a union apart. */
type Widened<State, All = State> = State extends object
  ? [WideKey<State, Extract<All, object>>] extends [never]
    ? State
    : { [Key in keyof State]: Key extends WideKey<State, Extract<All, object>> ? Wide<State[Key]> : State[Key] }
  : State;
type Wide<Literal> = Literal extends string ? string : boolean;

type WideKey<State, All> = {
  [Key in keyof State]-?: IsLiteral<State[Key]> extends true ? (Differs<Key, All> extends true ? never : WritableKey<State, Key>) : never;
}[keyof State];
/** Does every state have the key, with one literal each, and not all the same? */
type Differs<Key, All> = Key extends keyof All
  ? Exclude<All[Key], undefined> extends infer Values
    ? string extends Values
      ? false
      : IsUnion<Values>
    : never
  : false;
/** A property of a type that was named elsewhere is mostly readonly, one that is written in `upgrade` never is. */
type WritableKey<State, Key extends keyof State> = Same<Pick<State, Key>, { -readonly [K in Key]: State[K] }> extends true ? Key : never;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** One text or truth value, as it is written: no enum's, no template's, no brand. */
type IsLiteral<Value> =
  IsUnion<Value> extends true
    ? false
    : [Value] extends [boolean]
      ? true
      : [Value] extends [string]
        ? [`${Value}`] extends [Value]
          ? Record<never, never> extends Record<Value, 1>
            ? false
            : true
          : false
        : false;
