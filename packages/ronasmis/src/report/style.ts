import type { Html } from './html.ts';

/** The page's style sheet: light and dark by the reader's preference, one column on a phone. */
export const STYLE: Html = {
  markup: `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#15202b;--soft:#5b6875;--line:#e1e6eb;--accent:#0e7a86;--warm:#d2622a;--quiet:#8b98a5;
--l0:#0e7a86;--l1:#3f6fd1;--l2:#8a55c9;--l3:#c2478e;--l4:#d2622a;--l5:#3c8d2f;--l6:#a67c00;--l7:#5b6875;--l8:#b02a37;
--c0:#12b5c9;--c1:#ff7a45;--c2:#a3d93b;--c3:#b98cff;--c4:#ffd23f;--c5:#ff6fae}
@media (prefers-color-scheme:dark){:root{--page:#0e1318;--card:#171e26;--ink:#e8edf2;--soft:#98a6b3;--line:#2a343f;--accent:#3fc4d2;--warm:#ff9561;--quiet:#6e7c89;
--l0:#3fc4d2;--l1:#7ea6ff;--l2:#b98cff;--l3:#f07fc0;--l4:#ff9561;--l5:#7fd36b;--l6:#e6b422;--l7:#aab6c2;--l8:#ff7b85}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:2px 0 0;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 2px}
p{margin:2px 0 12px}.quiet,.lead{color:var(--soft)}.lead{font-size:14px}
.brand{font-size:12px;font-weight:700;letter-spacing:.14em;color:var(--accent)}
section,.tile,details{background:var(--card);border:1px solid var(--line);border-radius:14px}
section,details{margin-top:16px;padding:20px 22px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:12px;margin-top:16px}
.tile{padding:13px 16px}.tile span{display:block;font-size:12.5px;color:var(--soft)}.tile b{font-size:19px;font-variant-numeric:tabular-nums}.tile em{display:block;font-style:normal;font-size:12px;color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(290px,1fr));gap:18px 26px}
figure{margin:0}figcaption{font-size:13px}.chart svg{width:100%;height:auto;display:block;margin-top:6px}
.key{margin-right:14px;color:var(--soft)}.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:5px;vertical-align:middle;background:var(--tone)}
.accent{--tone:var(--accent)}.warm{--tone:var(--warm)}.quiet{--tone:var(--quiet)}
text{fill:var(--ink);font-size:13px}.tick{fill:var(--soft);font-size:11.5px}.label{fill:var(--soft)}
.grid{stroke:var(--line);stroke-width:1}.line{fill:none;stroke:var(--tone);stroke-width:2;stroke-linejoin:round}
.band{fill:var(--tone);fill-opacity:.12}.bar{stroke:var(--tone);stroke-width:1.5}.mark{fill:var(--tone);fill-opacity:.8}.mark:hover{fill-opacity:1}.ring{fill:none;stroke:var(--tone);stroke-width:2.5}.wide svg{max-width:880px}.plot svg{max-width:520px}
.point{fill:var(--tone);fill-opacity:0}.point:hover{fill-opacity:1}.point[r="4"]{fill-opacity:1}
.scroll{overflow-x:auto}
.level0{--tone:var(--l0)}.level1{--tone:var(--l1)}.level2{--tone:var(--l2)}.level3{--tone:var(--l3)}.level4{--tone:var(--l4)}.level5{--tone:var(--l5)}.level6{--tone:var(--l6)}.level7{--tone:var(--l7)}.level8{--tone:var(--l8)}
.class0{--tone:var(--c0)}.class1{--tone:var(--c1)}.class2{--tone:var(--c2)}.class3{--tone:var(--c3)}.class4{--tone:var(--c4)}.class5{--tone:var(--c5)}
.dots .row{display:grid;grid-template-columns:150px 1fr;gap:14px;align-items:center}.dots .name b{display:block;line-height:1.25;font-size:14px;overflow-wrap:anywhere}.dots .name span{font-size:13px;color:var(--soft)}
.strip{position:relative;height:66px;margin-right:10px;border-bottom:1px solid var(--line)}
.dot{position:absolute;width:10px;height:10px;border-radius:50%;transform:translate(-50%,-50%);top:calc(50% + var(--lane)*8px);background:var(--tone);opacity:.7}
.dot:hover{opacity:1;outline:2px solid var(--ink);z-index:2}.dot:hover::after{content:attr(data-label);position:absolute;left:50%;bottom:16px;transform:translateX(-50%);padding:3px 8px;border-radius:6px;background:var(--ink);color:var(--card);font-style:normal;font-size:12px;white-space:nowrap}
.mean{position:absolute;top:4px;bottom:4px;width:2px;margin-left:-1px;background:var(--tone)}
.axis{position:relative;height:22px;margin:3px 10px 0 164px;font-size:12px;color:var(--soft)}.axis span{position:absolute;transform:translateX(-50%)}
.example{margin-top:16px}.example h3{margin:0 0 6px;font-size:14px}.example h3 span{font-weight:400;color:var(--soft)}
.slices{display:grid;grid-template-columns:repeat(3,minmax(0,290px));gap:12px}
.slices.many{grid-template-columns:repeat(auto-fill,minmax(150px,1fr));margin-bottom:14px}
.slice svg{width:100%;display:block;border-radius:8px;background:#000}.slice figcaption{color:var(--soft);font-size:12px}
.reference,.prediction{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round}.reference{stroke:#fff;stroke-width:1.5}.prediction{stroke:var(--tone);stroke-width:2}.reference{filter:drop-shadow(0 0 1px #000)}
.labels .reference{stroke:var(--tone);stroke-width:2}.problem{overflow-wrap:anywhere;font-size:14px;margin:8px 0}
.legend{font-size:13px;color:var(--soft)}.legend span{margin-right:16px;white-space:nowrap}.legend span::before{content:"";display:inline-block;width:18px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle;background:var(--tone)}.legend .white{--tone:#fff}.legend .white::before{outline:1px solid var(--quiet)}
.systems{min-width:640px}.systems td,.systems th{overflow-wrap:normal}.systems td:first-child{width:auto;min-width:130px}.systems th[colspan]{padding-top:16px;font-weight:650;color:var(--ink)}
summary{cursor:pointer;font-weight:650}table{border-collapse:collapse;width:100%;margin:12px 0 4px;font-size:13px}td,th{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}td:first-child{color:var(--soft);width:38%}th{color:var(--soft);font-weight:500}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
@media (max-width:640px){main{padding:18px 12px 40px}section,details{padding:16px 14px}.dots .row{grid-template-columns:1fr;gap:0;padding-top:8px}.dots .name{display:flex;gap:10px;align-items:baseline}.axis{margin-left:0}.slices{gap:6px}}
`,
};
