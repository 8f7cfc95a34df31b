document.getElementById("realtime")?.append("The page is still to come.");
