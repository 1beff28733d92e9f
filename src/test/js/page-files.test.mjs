// What holds for the files as they are: their size, what they must not contain, contrast.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PAGE } from './fake-server.mjs';

const MAX_BYTES = 60 * 1024;
const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .map((path) => ({ name: relative(PAGE, path), text: readFileSync(path, 'utf8'), bytes: readFileSync(path) }));
const ending = (...ends) => files.filter(({ name }) => ends.some((end) => name.endsWith(end)));

test('all files together are at most 60 KB compressed', () => {
  const sum = files.reduce((total, { bytes }) => total + gzipSync(bytes, { level: 9 }).length, 0);
  assert.ok(sum <= MAX_BYTES, `${sum} bytes`);
});

test('no script and no style is inline, and nothing comes from another host', () => {
  for (const { name, text } of ending('.html')) {
    assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
    for (const [tag] of text.matchAll(/<script[^>]*>/g)) {
      assert.match(tag, /src="\/static\//, name);
    }
    for (const [, address] of text.matchAll(/(?:src|href|action)="([^"]*)"/g)) {
      assert.match(address, /^[/#](?!\/)/, `${name}: ${address}`);
    }
  }
  for (const { name, text } of ending('.css')) {
    assert.doesNotMatch(text, /url\(|@import/, name);
  }
  for (const { name, text } of ending('.js')) {
    assert.doesNotMatch(text.replace('http://www.w3.org/2000/svg', ''), /https?:\/\//, name);
  }
});

test('text of others can only be text', () => {
  for (const { name, text } of ending('.js')) {
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc/,
      name,
    );
    assert.doesNotMatch(text, /setTimeout\(\s*['"`]/, name);
    assert.doesNotMatch(text, /localStorage|sessionStorage|document\.cookie/, name);
  }
});

test('no line is longer than in the rest of the project', () => {
  for (const { name, text } of [...ending('.js'), ...ending('.css')]) {
    text.split('\n').forEach((line, i) => assert.ok(line.length <= 120, `${name}:${i + 1}`));
  }
});

test('every module that the page needs is fetched at once, and no other', () => {
  const needed = new Set();
  const visit = (name) => {
    if (!needed.has(name)) {
      needed.add(name);
      const { text } = files.find((file) => file.name === name);
      for (const [, from] of text.matchAll(/from '([^']+)'/g)) {
        visit(join(dirname(name), from));
      }
    }
  };
  visit('js/main.js');
  needed.delete('js/main.js');
  for (const name of ['index.html', 'wall.html']) {
    const { text } = files.find((file) => file.name === name);
    const preloaded = [...text.matchAll(/modulepreload" href="\/static\/([^"]+)"/g)].map(([, module]) => module);
    assert.deepEqual(preloaded.sort(), [...needed].sort(), name);
  }
});

test('every panel that a page has is one that is filled, with a heading', () => {
  const main = files.find(({ name }) => name === 'js/main.js').text;
  const makers = [
    ...main.slice(main.indexOf('const makers'), main.indexOf('const views')).matchAll(/^ {2}(\w+):/gm),
  ].map(([, name]) => name);
  for (const name of ['index.html', 'wall.html']) {
    const { text } = files.find((file) => file.name === name);
    for (const [, panel] of text.matchAll(/data-panel="(\w+)"/g)) {
      assert.ok(makers.includes(panel), `${name}: ${panel}`);
    }
    for (const [, id] of text.matchAll(/aria-labelledby="([^"]+)"/g)) {
      assert.ok(text.includes(`id="${id}"`), `${name}: ${id}`);
    }
  }
});

test('colours pass contrast, light and dark: 4.5 for text, 3 for what is drawn', () => {
  const css = files.find(({ name }) => name === 'style.css').text;
  const block = (start) => {
    const body = css.slice(css.indexOf(start));
    return Object.fromEntries(
      [...body.slice(0, body.indexOf('}')).matchAll(/--([\w-]+): (#[0-9a-f]{3,6});/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
  };
  const light = block(':root {');
  const byChoice = { ...light, ...block(":root[data-theme='dark']") };
  const bySystem = { ...light, ...block(":root:not([data-theme='light'])") };
  assert.deepEqual(byChoice, bySystem, 'dark is dark, whoever asks for it');
  for (const [theme, colours] of Object.entries({ light, dark: byChoice })) {
    const check = (front, back, least) => {
      const ratio = contrast(colours[front], colours[back]);
      assert.ok(ratio >= least, `${theme}: ${front} on ${back} is ${ratio.toFixed(2)}`);
    };
    for (const back of ['panel', 'ground']) {
      for (const front of ['text', 'quiet', 'accent', 'up', 'down', 'ok']) {
        check(front, back, 4.5);
      }
      check('edge', back, 3);
    }
    check('bad', 'bad-ground', 4.5);
    check('text', 'warn-ground', 4.5);
    check('warn', 'warn-ground', 3);
    check('today', 'panel', 3);
    check('yesterday', 'panel', 3);
    check('today', 'rest', 3);
  }
});

function contrast(a, b) {
  const [x, y] = [a, b].map(luminance).sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

function luminance(hex) {
  const full = hex.length === 4 ? `#${[...hex.slice(1)].map((c) => c + c).join('')}` : hex;
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(full.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
