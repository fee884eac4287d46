import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import type { ReportTold } from '../shared/messages.ts';
import { ReportPage } from './report-page.tsx';

const page = document.getElementById('page');
const text = document.getElementById('told')?.textContent ?? '';
// Without anything told, this is the page before a run has filled it.
if (page !== null && text !== '') {
  const told: ReportTold = JSON.parse(text);
  render(<ReportPage told={told} />, page);
}
