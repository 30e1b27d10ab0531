/** The embedded player: the stage alone, filling the frame it is in. */

import "../style/base.css";
import "../style/player.css";
import "../style/embed.css";

import { byId } from "../dom";
import { createStage } from "../stage";
import { t } from "../text";
import { watchChannel } from "../watch";

const asked = new URLSearchParams(location.search).get("channel");
const stage = createStage();
byId("stage").append(stage.element);

watchChannel(asked, (sight) => {
  if (sight.kind === "channel") {
    document.title = t.public.pageTitle(sight.channel.title || sight.channel.name);
    stage.update(sight.channel);
  } else if (sight.kind === "missing") {
    stage.say(sight.name === null ? t.public.noChannel : t.public.unknownChannel(sight.name));
  }
});
