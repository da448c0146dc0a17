/** A value as the documentation's example has it. */
export type Example = number | string | boolean;
