using Herd.Cli;
using Herd.Inference.Files;

PrivateFile.MakeNewFilesPrivate();
Interrupt.Register();
return await CommandLine.Run(args);
