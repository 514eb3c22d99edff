using Herd.Cli;

Interrupt.Register();
return await CommandLine.Run(args);
