/** Colours by what they are for. Each stands as text or line on `paper`. */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  /** Text of second rank. */
  readonly soft: string;
  readonly line: string;
  readonly good: string;
  readonly bad: string;
  readonly link: string;
}

/** A shade darker than the charts, whose own paper is white: they lie on the page like prints. */
export const LIGHT: Palette = {
  paper: '#f5f4f0',
  ink: '#1b1c1e',
  soft: '#5a5d63',
  line: '#d9d7cf',
  good: '#17623f',
  bad: '#a1261c',
  link: '#1f4e8c',
};

/** Not black: beside a white chart that would glare. */
export const DARK: Palette = {
  paper: '#17191c',
  ink: '#e7e6e2',
  soft: '#a3a6ac',
  line: '#33363b',
  good: '#7fd0a6',
  bad: '#ff9f90',
  link: '#9dc2f6',
};

export const PRINT: Palette = { ...LIGHT, paper: '#ffffff', line: '#c9c9c9' };
